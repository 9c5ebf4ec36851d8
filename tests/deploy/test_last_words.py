"""The line of a log that says why a service ended."""

from __future__ import annotations

import pytest

from goldenpath_loop.deploy.last_words import NOTHING_SAID, ending, is_address_in_use, last_words, log_text


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("starting\nSECRET is not set\n", "SECRET is not set"),
        ("starting\nfatal: no database\n\n---\n}\n", "fatal: no database"),
        (
            'Traceback (most recent call last):\n  File "a.py", line 1\napp.db.MissingTableError: users\n',
            "app.db.MissingTableError: users",
        ),
        (
            "ValueError: bad key\n\nERROR:    Application startup failed. Exiting.\n",
            "ValueError: bad key",
        ),
        ("ValueError: handled\n" + "working\n" * 10 + "out of memory\n", "out of memory"),
        ("KeyboardInterrupt\n", "KeyboardInterrupt"),
        ("", ""),
    ],
)
def test_the_line_that_explains_is_found(log: str, words: str) -> None:
    assert last_words(log) == words


def test_a_log_is_stored_without_colours_and_a_silent_one_says_so() -> None:
    assert log_text(b"\x1b[1;31mred\x1b[0m\r\n\xff\n\n") == "red\n\ufffd\n"
    assert log_text(b"\n \n") == f"{NOTHING_SAID}\n"


def test_a_log_that_starts_in_the_middle_of_a_line_starts_with_the_next() -> None:
    assert log_text(b"ken line\nwhole line\n", cut=True) == "[earlier output is not shown]\nwhole line\n"


@pytest.mark.parametrize(
    "line",
    [
        "OSError: [Errno 98] Address already in use",
        "[Errno 48] error while attempting to bind on address ('127.0.0.1', 80): address already in use",
        "Error: listen EADDRINUSE: address already in use :::8080",
    ],
)
def test_a_lost_port_is_recognised(line: str) -> None:
    assert is_address_in_use(f"starting\n{line}\n")
    assert not is_address_in_use("address book in use")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exited with 0"),
        (78, "exited with 78"),
        (-9, "was killed by SIGKILL"),
        (-99, "was killed by signal 99"),
    ],
)
def test_an_exit_code_is_said_in_words(code: int, words: str) -> None:
    assert ending(code) == words
