"""What a reviewer objects to, as plain functions over the two versions of a tree. Pure.

Only what is new against the base counts, so an old tree with old sins is not the remedy's fault.
"""

from __future__ import annotations

import ast
import platform
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from goldenpath_loop.audit.duplicates import DuplicateRule
from goldenpath_loop.audit.lost_names import LostNameRule
from goldenpath_loop.audit.source import TooDeep, Tree, Version, parse, quote
from goldenpath_loop.records.receipts import AuditIssue

__all__ = ["Outcome", "audit"]

_MARKERS = ("<<<<<<< ", ">>>>>>> ")
_DEFINITION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an audit found, and where it could not look."""

    issues: tuple[AuditIssue, ...]
    """In a stable order: by path, line, rule."""
    unparsed: tuple[str, ...]
    """Python files of the tree after that no rule saw, because they are not Python to us."""


def audit(base: Version, head: Version, changed: frozenset[str]) -> Outcome:
    """Every new issue of `head` against `base`.

    Args:
        base: The changed files before.
        head: Every Python file after, and the other changed files.
        changed: Paths that differ.
    """
    before = {path: parse(base.files[path]) for path in base.modules if path in changed}
    after = {path: parse(head.files[path]) for path in head.modules if path in changed}
    issues = [
        *_conflict_markers(base, head, changed),
        *_broken_syntax(head, before, after),
        *_second_definitions(head, before, after),
    ]
    lost_names = LostNameRule(head, before, after)
    duplicates = DuplicateRule(head, before, after)
    unparsed: list[str] = []
    # One file at a time: the syntax trees of a large repository do not fit into memory together.
    for path in head.modules:
        tree = after[path] if path in after else parse(head.files[path])
        if isinstance(tree, SyntaxError):
            unparsed.append(path)
            continue
        issues += lost_names.look_at(path, tree)
        duplicates.look_at(path, tree)
    issues += duplicates.issues()
    ordered = sorted(issues, key=lambda issue: (issue.path, issue.line, issue.rule, issue.message))
    return Outcome(tuple(ordered), tuple(unparsed))


def _conflict_markers(base: Version, head: Version, changed: frozenset[str]) -> Iterator[AuditIssue]:
    for path in sorted(changed & head.files.keys()):
        old = Counter(_marker_lines(base.files.get(path, "")).values())
        for number, line in _marker_lines(head.files[path]).items():
            old[line] -= 1
            if old[line] < 0:
                yield AuditIssue(
                    rule="conflict-marker",
                    path=path,
                    line=number,
                    message="a conflict marker was left",
                    quote=line,
                )


def _marker_lines(text: str) -> dict[int, str]:
    if not any(marker in text for marker in _MARKERS):
        return {}
    lines = enumerate(text.splitlines(), start=1)
    return {number: line for number, line in lines if line.startswith(_MARKERS)}


def _broken_syntax(
    head: Version, before: Mapping[str, Tree], after: Mapping[str, Tree]
) -> Iterator[AuditIssue]:
    for path, tree in after.items():
        if isinstance(tree, TooDeep):
            continue
        if isinstance(tree, SyntaxError) and not isinstance(before.get(path), SyntaxError):
            number = tree.lineno or 0
            version = ".".join(platform.python_version_tuple()[:2])
            yield AuditIssue(
                rule="syntax",
                path=path,
                line=number,
                message=f"it does not parse (Python {version}): {tree.msg}",
                quote=quote(head.files[path], number),
            )


@dataclass(frozen=True, slots=True)
class _Definition:
    name: str
    """With the classes it lies in: `Session.close`."""
    line: int
    decorated: bool


def _definitions(tree: Tree | None) -> Iterator[_Definition]:
    waiting: list[tuple[str, ast.Module | ast.ClassDef]] = (
        [("", tree)] if isinstance(tree, ast.Module) else []
    )
    while waiting:
        prefix, scope = waiting.pop()
        for node in scope.body:
            if isinstance(node, _DEFINITION):
                yield _Definition(f"{prefix}{node.name}", node.lineno, bool(node.decorator_list))
            if isinstance(node, ast.ClassDef):
                waiting.append((f"{prefix}{node.name}.", node))


def _second_definitions(
    head: Version, before: Mapping[str, Tree], after: Mapping[str, Tree]
) -> Iterator[AuditIssue]:
    for path, tree in after.items():
        earlier = Counter(one.name for one in _definitions(before.get(path)))
        seen: dict[str, list[_Definition]] = {}
        for one in _definitions(tree):
            same = seen.setdefault(one.name, [])
            # Properties, overloads and registered variants carry decorators; those repeat a name on purpose.
            meant = one.decorated or any(other.decorated for other in same)
            same.append(one)
            if len(same) > max(1, earlier[one.name]) and not meant:
                yield AuditIssue(
                    rule="second-definition",
                    path=path,
                    line=one.line,
                    message=f"{one.name} is defined a second time",
                    quote=quote(head.files[path], one.line),
                )
