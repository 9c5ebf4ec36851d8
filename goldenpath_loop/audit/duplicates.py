"""Functions whose body the change has made a second time. Pure."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from goldenpath_loop.audit.source import Tree, Version, quote
from goldenpath_loop.records.receipts import AuditIssue

__all__ = ["DuplicateRule"]

_LEAST_STATEMENTS = 5
"""Shorter bodies are alike by chance."""


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    line: int
    name: str


class DuplicateRule:
    """Remembers the bodies that the change added, and finds their likes in the tree after.

    Args:
        head: The tree after.
        before: Changed files before.
        after: Changed files after.
    """

    def __init__(self, head: Version, before: Mapping[str, Tree], after: Mapping[str, Tree]) -> None:
        self._head = head
        self._before = _places(before)
        # Files that did not change are alike on both sides, so more in the changed ones is more in all.
        self._after = {
            shape: places
            for shape, places in _places(after).items()
            if len(places) > len(self._before.get(shape, ()))
        }
        self._sizes = {size for size, _ in self._after}
        self._found: dict[_Shape, list[_Place]] = {}

    def look_at(self, path: str, tree: ast.Module) -> None:
        """Take in one file of the tree after."""
        if not self._after:
            return
        for shape, place in _bodies(path, tree, self._sizes):
            if shape in self._after:
                self._found.setdefault(shape, []).append(place)

    def issues(self) -> Iterator[AuditIssue]:
        """One issue a body that is there more often than before, after every file was looked at."""
        for shape, places in self._found.items():
            if len(places) < 2:
                continue
            known = {(place.path, place.name) for place in self._before.get(shape, ())}
            mine = self._after[shape]
            fresh = next((place for place in mine if (place.path, place.name) not in known), mine[0])
            other = next(place for place in places if place != fresh)
            yield AuditIssue(
                rule="duplicate",
                path=fresh.path,
                line=fresh.line,
                message=f"{fresh.name} has the same body as {other.name} in {other.path}:{other.line}",
                quote=quote(self._head.files[fresh.path], fresh.line),
            )


_Shape = tuple[int, bytes]
"""Number of statements, and a digest of the body without its positions and docstring."""


def _places(trees: Mapping[str, Tree]) -> dict[_Shape, list[_Place]]:
    found: dict[_Shape, list[_Place]] = {}
    for path, tree in trees.items():
        if isinstance(tree, ast.Module):
            for shape, place in _bodies(path, tree, None):
                found.setdefault(shape, []).append(place)
    return found


def _bodies(path: str, tree: ast.Module, sizes: set[int] | None) -> Iterator[tuple[_Shape, _Place]]:
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
        size = sum(isinstance(inner, ast.stmt) for one in body for inner in ast.walk(one))
        if size < _LEAST_STATEMENTS or (sizes is not None and size not in sizes):
            continue
        try:
            text = "\n".join(ast.dump(one) for one in body)
        except RecursionError:  # an expression of thousands of terms, which nobody writes twice
            continue
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        yield (size, digest), _Place(path, node.lineno, node.name)
