"""Finds the code under test in another checkout."""

import shop


def test_open():
    assert shop.OPEN
