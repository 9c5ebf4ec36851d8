"""Every key is found on the line on which it stands."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.config.position import KeyPath, key_lines

_BARE = st.text("abcdefgXYZ019_-", min_size=1, max_size=6)
_QUOTED = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=6).map(
    lambda name: '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
_SCALARS = st.sampled_from(
    [
        "1",
        "1.5",
        "true",
        '"a # [b] = 1"',
        "'c'",
        "1979-05-27 07:32:00",
        '"""x\ny # \\""" "y"""',
        "'''\n[no]\n'''",
    ]
)


@st.composite
def _documents(draw: st.DrawFn) -> tuple[str, dict[KeyPath, int]]:
    """A document written line by line, and the line of every key noted while writing."""
    lines: list[str] = []
    expected: dict[KeyPath, int] = {}
    counts: dict[str, int] = {}
    for header in draw(st.lists(_BARE, max_size=4)):
        is_list = draw(st.booleans()) if header not in counts else counts[header] > 0
        if header in counts and not is_list:
            continue
        table: KeyPath = (header,)
        if is_list:
            table = (header, counts.get(header, 0))
            counts[header] = counts.get(header, 0) + 1
        else:
            counts[header] = 0
        lines.append(draw(st.sampled_from(["", "# [comment]", "   "])))
        brackets = ("[[ ", " ]]") if is_list else ("[", "]  # x")
        lines.append(brackets[0] + header + brackets[1])
        expected[table] = len(lines)
        for name in draw(st.lists(st.one_of(_BARE, _QUOTED), max_size=3, unique_by=_plain)):
            path = (*table, _plain(name))
            expected[path] = len(lines) + 1
            shape = draw(st.sampled_from(["scalar", "list", "inline"]))
            if shape == "scalar":
                lines += f"{name} = {draw(_SCALARS)}".split("\n")
            elif shape == "list":
                lines.append(f"{name} = [ # open")
                for number in range(draw(st.integers(0, 3))):
                    value = draw(_SCALARS)
                    expected[(*path, number)] = len(lines) + 1
                    lines += f"  {value}, # next".split("\n")
                lines.append("]")
            else:
                lines.append(f"{name} = {{ a = 1, b.c = [1, {{ d = 2 }}] }}")
                for inner in (("a",), ("b", "c"), ("b", "c", 1, "d")):
                    expected[(*path, *inner)] = len(lines)
    return "\n".join(lines), expected


def _plain(name: str) -> str:
    return next(iter(tomllib.loads(f"{name} = 0")))


@given(_documents())
def test_each_key_is_found_on_its_line(document: tuple[str, dict[KeyPath, int]]) -> None:
    text, expected = document
    tomllib.loads(text)
    lines = key_lines(text)
    assert {path: lines.get(path) for path in expected} == expected


@given(st.text(alphabet="ab=[]{}\"'\n#., \\1", max_size=60))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert all(1 <= line <= text.count("\n") + 1 for line in key_lines(text).values())


def test_tables_below_lists_of_tables_belong_to_the_latest_entry() -> None:
    lines = key_lines("[[a]]\n[[a.b]]\nx = 1\n[[a]]\n[a.c]\ny = 2\n[[a.b]]\nx = 3\n")
    assert lines["a", 0, "b", 0, "x"] == 3
    assert lines["a", 1, "c", "y"] == 6
    assert lines["a", 1, "b", 0, "x"] == 8
