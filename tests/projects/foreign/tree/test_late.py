"""Imports from another checkout when nobody looks any more."""

import importlib


def test_late():
    assert importlib.import_module("late")
