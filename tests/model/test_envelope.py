"""What somebody else wrote stays inside of its envelope and can be seen, whatever it is."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from goldenpath_loop.model.envelope import envelope, neutral

ALPHABET = st.one_of(
    st.characters(), st.sampled_from('\x1b[]\x07\\0m\r\n\u202e\u061c</evidence tag="0123456789abcdef">')
)
ANYTHING = st.text(ALPHABET)
PRESENTATION = "\ufe0e\ufe0f"


@settings(deadline=None)
@given(ANYTHING)
@example("\x1b\x1b[0m[31mred")
@example("\x1b]8;;http://x\x07link")
@example("\r\r\n\n")
def test_nothing_hides_and_nothing_moves_the_cursor(text: str) -> None:
    shown = neutral(text)
    hidden = [
        character
        for character in shown
        if unicodedata.category(character) in ("Cc", "Zl", "Zp") and character not in "\n\t"
    ]
    assert hidden == []
    assert shown.splitlines() == shown.removesuffix("\n").split("\n") or not shown


@settings(deadline=None)
@given(ANYTHING)
def test_what_is_neutral_stays_as_it_is(text: str) -> None:
    assert neutral(neutral(text)) == neutral(text)


@pytest.mark.parametrize(
    "character",
    "\u00ad\u034f\u061c\u115f\u180e\u200b\u200d\u200e\u2028\u202e\u2063\u2066\u206f\u3164\ufe00\ufeff\uffa0\ufff9"
    "\U000e0001\U000e0041\U000e0100\U000e01ef",
)
def test_a_character_that_nobody_sees_is_named(character: str) -> None:
    assert neutral(f"a{character}b") == f"a<U+{ord(character):04X}>b"


@settings(deadline=None)
@given(ANYTHING, st.sampled_from(["test_result", "read_source"]), st.sampled_from(["", "E1"]))
def test_an_envelope_has_one_end_and_it_is_the_last_line(text: str, kind: str, id: str) -> None:
    wrapped = envelope(text, kind=kind, id=id)
    first, *inner, last = wrapped.split("\n")
    tag = re.fullmatch(r'<evidence (?:id="E1" )?kind="\w+" tag="([0-9a-f]{16})">', first)
    assert tag is not None
    assert last == f"</evidence {tag[1]}>"
    assert "\n".join(inner) == neutral(text)
    assert wrapped.count(f"</evidence {tag[1]}>") == 1


@settings(deadline=None)
@given(ANYTHING)
def test_an_envelope_in_an_envelope_has_another_tag(text: str) -> None:
    inner = envelope(text, kind="test_result")
    outer = envelope(inner, kind="test_result")
    assert inner.splitlines()[-1] != outer.splitlines()[-1]
    assert outer.count(outer.splitlines()[-1]) == 1
