"""Any subset of the hunks of a change can be taken back, exactly."""

from __future__ import annotations

import difflib

from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.records.history import Hunk
from goldenpath_loop.science.hunks.compose import parts, taken_back, together

LINES = st.lists(
    st.sampled_from(["a", "b", "c", "x = 1", "    return x", "    y", "        z", "    )", ""]), max_size=40
)


def hunks_of(old: list[str], new: list[str]) -> list[Hunk]:
    """What `git diff -U0` says of the two: starts count from 1, and of an empty side name the line before."""
    found: list[Hunk] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            found.append(
                Hunk(
                    path="f",
                    header="@@",
                    removed=tuple(old[a:b]),
                    added=tuple(new[c:d]),
                    old_start=a + 1 if b > a else a,
                    new_start=c + 1 if d > c else c,
                )
            )
    return found


def text(lines: list[str], end: str = "\n") -> str:
    return "".join(line + end for line in lines)


@given(LINES, LINES, st.sampled_from(["\n", "\r\n"]))
def test_all_hunks_taken_back_give_the_old_text_and_none_the_new(
    old: list[str], new: list[str], end: str
) -> None:
    hunks = hunks_of(old, new)
    assert taken_back(text(new, end), []) == text(new, end)
    if new or end == "\n":
        assert taken_back(text(new, end), hunks) == text(old, end)


@given(LINES, LINES, st.data())
def test_parts_of_hunks_make_up_the_whole(old: list[str], new: list[str], data: st.DataObject) -> None:
    """All of them taken back give the old text; any choice of them gives some text."""
    whole = parts(hunks_of(old, new))
    assert taken_back(text(new), whole) == text(old)
    chosen = [part for part in whole if data.draw(st.booleans())]
    assert taken_back(text(new), chosen) is not None


@given(LINES, LINES)
def test_every_part_belongs_to_one_hunk(old: list[str], new: list[str]) -> None:
    """In order, and none is forgotten."""
    hunks = hunks_of(old, new)
    numbers = [number for group in together(hunks) for number in sorted(group)]
    assert numbers == list(range(len(parts(hunks))))


def test_a_long_hunk_is_cut_where_statements_begin() -> None:
    """A new function of many lines: its heading and blocks of its body, few enough to be tried."""
    body = [f"    total_{number} = (\n        price\n    )".split("\n") for number in range(9)]
    new = ["def f(price):", *(line for block in body for line in block), "    return total_0"]
    found = parts(hunks_of([], new))
    assert [line for part in found for line in part.added] == new
    assert 2 <= len(found) <= 4
    assert all(part.added[0].startswith(("def ", "    total_", "    return")) for part in found)
    assert len(parts(hunks_of([], new[:10]))) == 1, "a short one stays whole"


def test_lines_that_only_went_come_back_in_their_order() -> None:
    """Their groups stand at one place of the new text."""
    old = [f"step_{number}()" for number in range(30)]
    found = parts(hunks_of(old, []))
    assert len(found) > 1
    back = taken_back("", reversed(found))
    assert back is not None and back.split() == old


def test_a_changed_line_and_a_new_function_beside_it_are_two_parts() -> None:
    """Although git shows them as one hunk."""
    new = ["    return max(p)", "", "def biggest(p):", "    return max(p)"]
    (hunk,) = hunks_of(["    return sum(p)"], new)
    first, second = parts([hunk])
    assert taken_back(text(new), [first]) == text(["    return sum(p)", *new[1:]])
    assert taken_back(text(new), [second]) == text(new[:1])


@given(LINES, LINES, st.data())
def test_hunks_taken_back_in_two_steps_give_the_same(
    old: list[str], new: list[str], data: st.DataObject
) -> None:
    """From the last to the first none moves another, so the later half can go before the earlier."""
    hunks = hunks_of(old, new)
    cut = data.draw(st.integers(0, len(hunks)))
    half = taken_back(text(new), hunks[cut:])
    assert half is not None
    assert taken_back(half, hunks[:cut]) == text(old)


def test_a_hunk_of_another_text_is_refused() -> None:
    """Nothing is cut out that is not there."""
    hunk = Hunk(path="f", header="@@", removed=("old",), added=("new",), old_start=1, new_start=1)
    assert taken_back("other\n", [hunk]) is None
    assert taken_back("", [hunk]) is None
    assert taken_back("new\n", [hunk]) == "old\n"
