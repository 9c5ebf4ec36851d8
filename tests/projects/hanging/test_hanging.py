"""The second test waits for something that never comes."""

import threading


def test_before():
    assert True


def test_hangs():
    wait_for_the_reply()


def test_after():
    assert True


def wait_for_the_reply():
    threading.Event().wait()
