"""Some of these are chosen."""

import pytest


def test_quick():
    assert True


def test_other():
    assert True


@pytest.mark.slow
def test_slow():
    assert True
