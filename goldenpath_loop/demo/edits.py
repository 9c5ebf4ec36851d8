"""What a commit of the demo's history did to the tree, described so that it can be undone.

The source of the demo is kept once, in its final state. The history is told backwards from there: each
edit knows how to take its change out of the tree, which gives the tree as it was before the commit. An
edit that does not find what it describes raises, so a change of the source that the history forgot to
follow is noticed at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from goldenpath_loop.errors import InternalError

__all__ = ["Added", "Deleted", "Edit", "Inlined", "Lines", "Part", "Swept", "Tree", "Was", "replace_once"]

Tree = dict[str, str]
"""Path in the repository -> text of the file."""


class Edit(Protocol):
    """A change that can be taken back."""

    def undo(self, tree: Tree) -> None:
        """Change the tree, in place, to what it was before."""


def replace_once(tree: Tree, path: str, old: str, new: str) -> None:
    """Replace a text that stands exactly once in a file.

    Raises:
        InternalError: The text is not there, or more than once.
    """
    found = tree.get(path, "").count(old)
    if found != 1:
        raise InternalError(
            f"the history of the demo expects once, and finds {found} times: {old!r}", where=path
        )
    tree[path] = tree[path].replace(old, new)


@dataclass(frozen=True)
class Added:
    """The commit added these files."""

    paths: tuple[str, ...]

    def __init__(self, *paths: str) -> None:
        object.__setattr__(self, "paths", paths)

    def undo(self, tree: Tree) -> None:
        for path in self.paths:
            if tree.pop(path, None) is None:
                raise InternalError("the history of the demo adds a file that is not there", where=path)


@dataclass(frozen=True)
class Deleted:
    """The commit deleted a file that had this text."""

    path: str
    text: str

    def undo(self, tree: Tree) -> None:
        tree[self.path] = self.text


@dataclass(frozen=True)
class Was:
    """The commit wrote `after` where `before` had been."""

    path: str
    after: str
    before: str

    def undo(self, tree: Tree) -> None:
        replace_once(tree, self.path, self.after, self.before)


@dataclass(frozen=True)
class Lines:
    """The commit added these single lines, each unique in its file."""

    path: str
    lines: tuple[str, ...]

    def __init__(self, path: str, *lines: str) -> None:
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "lines", lines)

    def undo(self, tree: Tree) -> None:
        for line in self.lines:
            padded = "\n" + tree.get(self.path, "")
            if padded.count(f"\n{line}\n") != 1:
                raise InternalError(
                    f"the history of the demo expects this line once: {line!r}", where=self.path
                )
            tree[self.path] = padded.replace(f"\n{line}\n", "\n")[1:]


@dataclass(frozen=True)
class Part:
    """The commit added the lines from the one that begins with `start` up to the one with `stop`.

    Without `stop` the part reaches to the end of the file.
    """

    path: str
    start: str
    stop: str = ""

    def undo(self, tree: Tree) -> None:
        lines = tree.get(self.path, "").splitlines(keepends=True)
        starts = [number for number, line in enumerate(lines) if line.startswith(self.start)]
        if len(starts) != 1:
            raise InternalError(
                f"the history of the demo expects one line, and finds {len(starts)}: {self.start!r}",
                where=self.path,
            )
        end = len(lines)
        if self.stop:
            ends = (n for n in range(starts[0] + 1, end) if lines[n].startswith(self.stop))
            end = next(ends, -1)
            if end == -1:
                raise InternalError(f"the history of the demo expects a line {self.stop!r}", where=self.path)
        kept = "".join(lines[: starts[0]] + lines[end:])
        tree[self.path] = kept if self.stop else kept.rstrip("\n") + "\n"


@dataclass(frozen=True)
class Swept:
    """The commit did one thing all over the tree.

    Attributes:
        rules: Pattern that finds the text after the commit, replacement that gives the text before it.
        under: Path prefixes the sweep was confined to.
    """

    rules: Sequence[tuple[str, str]]
    under: tuple[str, ...]

    def undo(self, tree: Tree) -> None:
        for pattern, before in self.rules:
            finder = re.compile(pattern, re.MULTILINE)
            hits = 0
            for path in [path for path in tree if path.startswith(self.under)]:
                tree[path], found = finder.subn(before, tree[path])
                hits += found
            if not hits:
                raise InternalError(f"the history of the demo sweeps for what is not there: {pattern!r}")


@dataclass(frozen=True)
class Inlined:
    """The commit moved string literals to constants of a new module; undone, they stand in place again."""

    path: str
    importing: str
    """The import line of the users; their name for the module is its last word."""
    under: tuple[str, ...]

    def undo(self, tree: Tree) -> None:
        constants = dict(re.findall(r'^([A-Z_]+) = (".*")$', tree.pop(self.path), re.MULTILINE))
        name = self.importing.rsplit(" ", 1)[-1]
        for path in [path for path in tree if path.startswith(self.under)]:
            if f"{self.importing}\n" in tree[path]:
                text = tree[path].replace(f"{self.importing}\n", "")
                tree[path] = re.sub(rf"\b{name}\.([A-Z_]+)\b", lambda use: constants[use[1]], text)
