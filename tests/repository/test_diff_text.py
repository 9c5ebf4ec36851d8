"""Hunks are what the header's counts say, and nothing that only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.records.history import Hunk
from goldenpath_loop.repository.diff_text import parse_diff

_plain = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\'), min_size=1, max_size=12
).map(lambda name: f"d/{name}")
_lines = st.lists(
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=15)
    | st.sampled_from(["-- a/file", "++ b/file", "@@ -1 +1 @@", "diff --git a b", "", "- ", "+"]),
    max_size=4,
)


@st.composite
def _hunks(draw: st.DrawFn) -> Hunk:
    removed, added = tuple(draw(_lines)), tuple(draw(_lines))
    if not removed and not added:
        added = ("x",)
    start = draw(st.integers(min_value=1, max_value=9999))
    inside = draw(st.sampled_from(["", " def f():"]))
    header = f"@@ -{_range(start, len(removed))} +{_range(start, len(added))} @@{inside}"
    return Hunk(path="", header=header, removed=removed, added=added, old_start=start, new_start=start)


def _range(start: int, count: int) -> str:
    return str(start) if count == 1 else f"{start},{count}"


_files = st.dictionaries(_plain, st.lists(_hunks(), min_size=1, max_size=3), max_size=3)


@given(_files, st.booleans())
def test_what_is_rendered_is_read_back(files: dict[str, list[Hunk]], newline: bool) -> None:
    rendered: list[str] = ["commit 1234", "", "    --- no/file", "    @@ -1 +1 @@", ""]
    for path, hunks in files.items():
        # Git ends a name with a space in it by a tab.
        tab = "\t" if " " in path else ""
        rendered += [f"diff --git {path} {path}", "index 1..2 100644", f"--- {path}{tab}", f"+++ {path}{tab}"]
        for hunk in hunks:
            rendered += [hunk.header, *(f"-{line}" for line in hunk.removed)]
            rendered += [] if newline else ["\\ No newline at end of file"]
            rendered += [f"+{line}" for line in hunk.added]
    expected = [hunk.model_copy(update={"path": path}) for path, hunks in files.items() for hunk in hunks]
    assert parse_diff("\n".join(rendered) + "\n") == tuple(expected)


@given(st.text() | st.text("@-+ 1,0\n/ab").map(lambda text: f"@@ -1,9 +1,9 @@\n{text}"))
def test_no_text_is_too_odd_to_be_looked_at(text: str) -> None:
    parse_diff(text)


def test_numbers_too_large_to_be_line_numbers_are_no_hunk() -> None:
    assert parse_diff(f"@@ -{'9' * 5000} +1 @@\n") == ()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"a\\"b"', 'a"b'),
        ('"a\\nb"', "a\nb"),
        ('"tab\\there"', "tab\there"),
        ('"\\303\\244.py"', "ä.py"),
        ('"ä\\001.py"', "ä\x01.py"),
        ('"back\\\\slash"', "back\\slash"),
        ('"\\377"', "\N{REPLACEMENT CHARACTER}"),
        ('"', '"'),
        ("two words\t", "two words"),
        ("-dash", "-dash"),
    ],
)
def test_file_names_are_unquoted(written: str, meant: str) -> None:
    (hunk,) = parse_diff(f"--- {written}\n+++ {written}\n@@ -1 +1 @@\n-a\n+b\n")
    assert hunk.path == meant


def test_a_deleted_file_keeps_its_name_and_a_binary_one_has_no_hunks() -> None:
    text = (
        "diff --git a b\nBinary files a and b differ\n"
        "diff --git gone.py gone.py\n--- gone.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    )
    (hunk,) = parse_diff(text)
    assert (hunk.path, hunk.removed, hunk.added) == ("gone.py", ("x",), ())
