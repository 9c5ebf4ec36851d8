"""The second test takes the process with it, in the way the environment names."""

import ctypes
import os


def test_before():
    assert True


def test_crashes():
    os.write(2, b"about to go\n")
    if os.environ["WAY"] == "segfault":
        ctypes.string_at(0)
    os._exit(int(os.environ["WAY"]))


def test_after():
    assert True
