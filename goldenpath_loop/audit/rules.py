"""What a reviewer objects to, as plain functions over the two versions of a tree. Pure.

Only what is new against the base counts, so an old tree with old sins is not the remedy's fault.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from goldenpath_loop.records.receipts import AuditIssue

__all__ = ["Version", "audit", "parse"]

_MARKERS = ("<<<<<<< ", ">>>>>>> ")
_LEAST_STATEMENTS = 5


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the tree: Python files by path, as text."""

    files: Mapping[str, str]


def audit(base: Version, head: Version, changed: frozenset[str]) -> tuple[AuditIssue, ...]:
    """Every new issue of `head` against `base`, in a stable order.

    Args:
        base: The tree before.
        head: The tree after.
        changed: Paths that differ.
    """
    issues = [
        *_conflict_markers(head, changed),
        *_broken_syntax(base, head, changed),
        *_second_definitions(base, head, changed),
        *_lost_names(base, head, changed),
        *_new_duplicates(base, head, changed),
    ]
    return tuple(sorted(issues, key=lambda issue: (issue.path, issue.line, issue.rule, issue.message)))


def parse(text: str) -> ast.Module | SyntaxError:
    """The syntax tree of a file, or why it has none."""
    try:
        return ast.parse(text)
    except SyntaxError as error:
        return error
    except ValueError as error:  # a NUL byte
        return SyntaxError(str(error))


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def _conflict_markers(head: Version, changed: frozenset[str]) -> Iterator[AuditIssue]:
    for path in sorted(changed & head.files.keys()):
        for number, line in enumerate(head.files[path].splitlines(), start=1):
            if line.startswith(_MARKERS):
                yield AuditIssue(
                    rule="conflict-marker",
                    path=path,
                    line=number,
                    message="a conflict marker was left",
                    quote=line,
                )


def _broken_syntax(base: Version, head: Version, changed: frozenset[str]) -> Iterator[AuditIssue]:
    for path in sorted(changed & head.files.keys()):
        after = parse(head.files[path])
        if not isinstance(after, SyntaxError):
            continue
        if path in base.files and isinstance(parse(base.files[path]), SyntaxError):
            continue
        number = after.lineno or 0
        yield AuditIssue(
            rule="syntax",
            path=path,
            line=number,
            message=f"it does not parse any more: {after.msg}",
            quote=_line(head.files[path], number),
        )


_DEFINITION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _definitions(tree: ast.Module) -> list[tuple[str, int]]:
    return [(node.name, node.lineno) for node in tree.body if isinstance(node, _DEFINITION)]


def _second_definitions(base: Version, head: Version, changed: frozenset[str]) -> Iterator[AuditIssue]:
    for path in sorted(changed & head.files.keys()):
        after = parse(head.files[path])
        if isinstance(after, SyntaxError):
            continue
        before = parse(base.files.get(path, ""))
        earlier = (
            Counter(name for name, _ in _definitions(before)) if isinstance(before, ast.Module) else Counter()
        )
        counts: Counter[str] = Counter()
        for name, number in _definitions(after):
            counts[name] += 1
            if counts[name] > max(1, earlier[name]) and not _is_overload(after, number):
                yield AuditIssue(
                    rule="second-definition",
                    path=path,
                    line=number,
                    message=f"{name} is defined a second time",
                    quote=_line(head.files[path], number),
                )


def _is_overload(tree: ast.Module, number: int) -> bool:
    """Properties, overloads and conditional definitions carry decorators; those may repeat a name."""
    return any(
        isinstance(node, _DEFINITION) and node.lineno == number and node.decorator_list for node in tree.body
    )


def _top_names(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, _DEFINITION) and node in tree.body:
            found.add(node.name)
    for statement in tree.body:
        for node in ast.walk(statement) if not isinstance(statement, _DEFINITION) else ():
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.alias):
                found.add((node.asname or node.name).split(".")[0])
    return found


def _module_names(path: str) -> set[str]:
    """Dotted names a file can be imported by: with and without leading folders such as `src`."""
    parts = path.removesuffix(".py").split("/")
    if parts[-1] == "__init__":
        parts = parts[:-1]
    return {".".join(parts[start:]) for start in range(len(parts))}


def _lost_names(base: Version, head: Version, changed: frozenset[str]) -> Iterator[AuditIssue]:
    """Names that a changed module had and has no more, and that another file still imports from it."""
    lost: dict[str, set[str]] = {}
    for path in sorted(changed):
        before = parse(base.files.get(path, ""))
        if isinstance(before, SyntaxError):
            continue
        after = parse(head.files.get(path, ""))
        remaining = _top_names(after) if isinstance(after, ast.Module) else set()
        gone = _top_names(before) - remaining
        if gone:
            lost[path] = gone
    if not lost:
        return
    for path in sorted(head.files):
        tree = parse(head.files[path])
        if isinstance(tree, SyntaxError):
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            for source, gone in lost.items():
                if source == path or not _is_import_of(node, path, source):
                    continue
                for alias in node.names:
                    if alias.name in gone and not _is_submodule(head, source, alias.name):
                        yield AuditIssue(
                            rule="lost-name",
                            path=path,
                            line=node.lineno,
                            message=f"it imports {alias.name}, which {source} does not have any more",
                            quote=_line(head.files[path], node.lineno),
                        )


def _is_import_of(node: ast.ImportFrom, importer: str, source: str) -> bool:
    if node.level == 0:
        return node.module in _module_names(source) and _is_long_enough(node.module or "", source)
    folder = importer.split("/")[: -node.level]
    wanted = "/".join([*folder, *(node.module or "").split(".")])
    return source in (f"{wanted}.py", f"{wanted}/__init__.py")


def _is_long_enough(module: str, source: str) -> bool:
    """A bare `utils` may be anybody's: count it only when the file lies at the top or below `src`."""
    parts = source.removesuffix("/__init__.py").removesuffix(".py").split("/")
    return "." in module or len(parts) == 1 or parts[0] == "src"


def _is_submodule(head: Version, source: str, name: str) -> bool:
    folder = source.rsplit("/", 1)[0] if "/" in source else ""
    prefix = f"{folder}/{name}" if folder else name
    return f"{prefix}.py" in head.files or f"{prefix}/__init__.py" in head.files


def _bodies(version: Version) -> dict[str, list[tuple[str, int, str]]]:
    """Function bodies worth naming a duplicate, by their normalised text: path, line, name."""
    found: dict[str, list[tuple[str, int, str]]] = {}
    for path in sorted(version.files):
        tree = parse(version.files[path])
        if isinstance(tree, SyntaxError):
            continue
        for node in ast.walk(tree):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            if (
                sum(isinstance(inner, ast.stmt) for one in body for inner in ast.walk(one))
                < _LEAST_STATEMENTS
            ):
                continue
            shape = "\n".join(ast.dump(one) for one in body)
            found.setdefault(shape, []).append((path, node.lineno, node.name))
    return found


def _new_duplicates(base: Version, head: Version, changed: frozenset[str]) -> Iterator[AuditIssue]:
    before = _bodies(base)
    for shape, places in _bodies(head).items():
        if len(places) < 2 or len(places) <= len(before.get(shape, ())):
            continue
        for path, number, name in places:
            if path in changed:
                other = next(place for place in places if place != (path, number, name))
                yield AuditIssue(
                    rule="duplicate",
                    path=path,
                    line=number,
                    message=f"{name} has the same body as {other[2]} in {other[0]}:{other[1]}",
                    quote=_line(head.files[path], number),
                )
                break
