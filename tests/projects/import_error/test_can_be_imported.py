"""Runs although its neighbour cannot be collected."""


def test_runs():
    assert True
