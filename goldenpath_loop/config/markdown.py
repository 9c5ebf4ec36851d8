"""The few shapes of Markdown that a test index is made of: headings, pipe tables, list items, plain lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Block", "Heading", "Item", "Line", "Table", "blocks", "plain"]

_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(.*)$")
_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_FENCE = re.compile(r"\s*(```+|~~~+)")
_CELL_END = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Heading:
    """`### Priority 1: Critical`."""

    line: int
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a numbered or unnumbered list."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """Any other line that is not empty."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A pipe table; cells keep their markup."""

    line: int
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    """Line and cells of each row."""


Block = Heading | Item | Line | Table


def blocks(text: str) -> Iterator[Block]:
    """The blocks of `text` in order, lines counted from 1. Fenced code and HTML comments are left out."""
    lines = text.split("\n")
    at = 0
    fence = ""
    in_comment = False
    while at < len(lines):
        line = lines[at].rstrip()
        at += 1
        opened = _FENCE.match(line)
        if fence:
            if opened and opened[1].startswith(fence):
                fence = ""
        elif in_comment:
            in_comment = "-->" not in line
        elif opened:
            fence = opened[1]
        elif line.lstrip().startswith("<!--"):
            in_comment = "-->" not in line
        elif heading := _HEADING.match(line):
            yield Heading(at, len(heading[1]), heading[2])
        elif "|" in line and at < len(lines) and "|" in lines[at] and _RULE.match(lines[at]):
            start = at
            at += 1
            rows: list[tuple[int, tuple[str, ...]]] = []
            while at < len(lines) and "|" in lines[at]:
                rows.append((at + 1, _cells(lines[at])))
                at += 1
            yield Table(start, _cells(line), tuple(rows))
        elif item := _ITEM.match(line):
            yield Item(at, item[1])
        elif line.strip():
            yield Line(at, line.strip())


def plain(text: str) -> str:
    """`text` without emphasis, code marks and links around the words."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"[`~]|\*+|(?<!\w)_+|_+(?!\w)", "", text)
    return " ".join(text.split())


def _cells(line: str) -> tuple[str, ...]:
    line = line.strip().removeprefix("|")
    if line.endswith("|") and not line.endswith("\\|"):
        line = line[:-1]
    return tuple(cell.strip().replace("\\|", "|") for cell in _CELL_END.split(line))
