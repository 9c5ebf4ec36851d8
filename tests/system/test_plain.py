"""Text from outside is bounded and acts on nothing."""

from __future__ import annotations

import pytest

from goldenpath_loop.system.plain import plain, plain_line


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("grün, 日本, 👍", "grün, 日本, 👍"),
        ("a\r\nb\rc\td", "a\nb\nc\td"),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07x", "red x"),
        ("\x00\x07\x7f\x9b", "\\x00\\x07\\x7f\\x9b"),
        ("\u202eevil\u2028", "\\u202eevil\\u2028"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_acts_is_spelled_out_and_what_is_words_stays(text: str, safe: str) -> None:
    assert plain(text, max_chars=100) == safe
    assert safe.encode()


def test_a_cut_says_how_much_is_missing() -> None:
    assert plain("x" * 12, max_chars=10) == "xxxxxxxxxx [... 2 more characters]"


def test_one_line_stays_one_line() -> None:
    assert plain_line(" a\nb\tc ", max_chars=100) == "a\\nb\\tc"
