"""Changes of a text at byte offsets, and the two shapes in which a change is handed over."""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass

__all__ = ["Source", "Splice", "edits_between", "unified_diff"]


@dataclass(frozen=True)
class Splice:
    """New text for a range of bytes; `line` is where a person would look for it."""

    start: int
    end: int
    new: str
    line: int
    why: str
    also: tuple[tuple[int, int, str], ...] = ()


class Source:
    """The text of a module, addressed as its syntax tree does: by line and byte."""

    def __init__(self, text: str) -> None:
        self.data = text.encode()
        self._starts = [0]
        for line in self.data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def start_of(self, node: ast.expr | ast.stmt) -> int:
        """Offset of a node's first byte."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end_of(self, node: ast.expr | ast.stmt) -> int:
        """Offset behind a node's last byte."""
        return self._starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    def line_start(self, line: int) -> int:
        """Offset of a line."""
        return self._starts[line - 1]

    def line_end(self, line: int) -> int:
        """Offset of the line after it."""
        return self._starts[line]

    def segment(self, node: ast.expr | ast.stmt) -> str:
        """Text of a node."""
        return self.data[self.start_of(node) : self.end_of(node)].decode()

    def with_splice(self, splice: Splice) -> str:
        """The text with a change."""
        data = self.data
        changes = [(splice.start, splice.end, splice.new), *splice.also]
        for start, end, new in sorted(changes, reverse=True):
            data = data[:start] + new.encode() + data[end:]
        return data.decode()


def unified_diff(path: str, old: str, new: str) -> str:
    """The change as a unified diff."""
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", f"b/{path}"
    )
    return "".join(lines)


def edits_between(path: str, old: str, new: str) -> list[dict[str, str]]:
    """The change as texts to search and to replace, each found exactly once."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    edits = []
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            continue
        up = down = 0
        while (start - up == end + down) or old.count("".join(before[start - up : end + down])) != 1:
            if start - up > 0:
                up += 1
            if end + down < len(before):
                down += 1
            if start - up == 0 and end + down == len(before):
                break
        search = "".join(before[start - up : end + down])
        inner = "".join(after[new_start:new_end])
        replace = "".join(before[start - up : start]) + inner + "".join(before[end : end + down])
        edits.append({"path": path, "search": search, "replace": replace})
    return edits
