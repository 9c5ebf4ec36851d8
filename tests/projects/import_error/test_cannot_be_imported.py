"""Cannot be collected: what it imports is not there."""

import shop_that_moved_away


def test_never_collected():
    assert shop_that_moved_away
