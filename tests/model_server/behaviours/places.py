"""Where in the tree a failure may come from: stacks, places that texts name, functions that tests reach."""

from __future__ import annotations

import ast
import re
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

from tests.model_server.behaviours.traces import Frame, RedTest, is_test_path
from tests.model_server.plan import Ask
from tests.model_server.reading import Hit, SourceFile, find_in_source

__all__ = ["Place", "called_in", "function_at", "located", "logged", "named_in", "reached", "where_defined"]

_AT = re.compile(r"(?P<path>[\w./-]+\.py)(?::|\", line )(?P<line>\d+)(?:(?::| in |, in )(?P<function>\w+))?")
_FILE = re.compile(r"^\+\+\+ (?:b/)?(?P<path>\S+)|^diff --git (?:a/)?\S+ (?:b/)?(?P<both>\S+)")
_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(?P<line>\d+)")
_EVENT = re.compile(r"\b[a-z][a-z_]+(?:[.-][a-z_]+)+\b")
_MOST = 8

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """A place in the tree; line 0 and an empty function stand for what is not known."""

    path: str
    line: int = 0
    function: str = ""


def located(frames: Sequence[Frame]) -> Generator[Ask, list[str], dict[Frame, str]]:
    """Path in the tree of each frame, whose own paths may begin anywhere on a machine."""
    hits = yield from find_in_source([one.code for one in frames if one.code])
    found: dict[Frame, str] = {}
    for frame in frames:
        options = [hit for hit in hits.get(frame.code, ()) if f"/{frame.path}".endswith(f"/{hit.path}")]
        options.sort(key=lambda hit: (-len(hit.path), abs(hit.line - frame.line)))
        if options:
            found[frame] = options[0].path
    known = sorted(set(found.values()), key=len, reverse=True)
    for frame in frames:
        if frame not in found:
            parts = [part for part in frame.path.split("/") if part]
            root = _root(found)
            guess = frame.path.removeprefix(root) if root else "/".join(parts[-2:])
            found[frame] = next((path for path in known if f"/{frame.path}".endswith(f"/{path}")), guess)
    return found


def _root(found: dict[Frame, str]) -> str:
    """What stands before the tree's own paths."""
    return next((frame.path.removesuffix(path) for frame, path in found.items()), "")


def named_in(text: str) -> list[Place]:
    """Places that a text names as `path:line`, and hunks of diffs in it."""
    found = [
        Place(one["path"].removeprefix("./"), int(one["line"]), one["function"] or "")
        for one in _AT.finditer(text)
    ]
    path = ""
    for line in text.splitlines():
        if match := _FILE.match(line.strip()):
            path = match["path"] or match["both"]
        elif (match := _HUNK.match(line.strip())) and path.endswith(".py"):
            found.append(Place(path, int(match["line"])))
    return [
        one for one in dict.fromkeys(found) if not is_test_path(one.path) and not one.path.startswith("/")
    ]


def logged(texts: Iterable[str]) -> Generator[Ask, list[str], list[Place]]:
    """Places that write what service logs say, the last words first."""
    lines = [line for text in texts for line in text.splitlines() if not line.startswith(" ")]
    loud = [line for line in lines if re.search(r"\b(?:WARN|WARNING|ERROR|CRITICAL)\b", line)]
    events = [word for line in [*reversed(loud), *reversed(lines)] for word in _EVENT.findall(line)]
    hits = yield from find_in_source(list(dict.fromkeys(events))[:_MOST])
    return [_placed(hit) for found in hits.values() for hit in found[:3] if _is_code(hit)]


def reached(tests: Sequence[RedTest]) -> Generator[Ask, list[str], list[Place]]:
    """Functions that tests reach by a route or a name they write, as far as text shows."""
    literals = [value for test in tests for value in test.literals]
    routes = [value for value in literals if value.startswith("/")]
    words = [value for value in literals if re.fullmatch(r"[A-Za-z_][\w.-]{3,}", value)]
    wanted = list(dict.fromkeys([*routes, *_shorter(routes), *words]))[: 2 * _MOST]
    hits = yield from find_in_source(wanted)
    found = [hit for text in wanted for hit in hits.get(text, ())[:6] if _is_code(hit)]
    constants = [
        match[1] for hit in found if (match := re.match(r"\s*([A-Z][A-Z0-9_]+)\s*(?::[^=]+)?=", hit.text))
    ]
    uses = yield from find_in_source(constants[:_MOST])
    found = [*(hit for hits_of in uses.values() for hit in hits_of if _is_code(hit)), *found]
    handlers = [
        name
        for hit in found
        if "Route" in hit.text or "route" in hit.text or "add_" in hit.text
        for name in re.findall(r"\b[a-z_]\w{3,}\b(?!\s*[=(.])", hit.text)
    ]
    called = [name for test in tests for name in test.called]
    defined = yield from where_defined([*called, *handlers])
    return list(dict.fromkeys([*defined, *(_placed(hit) for hit in found)]))


def _shorter(routes: Iterable[str]) -> list[str]:
    """What a table of routes may hold of each: its beginnings, the longest first, and its last part."""
    found = []
    for route in routes:
        parts = route.strip("/").split("/")
        found += ["/" + "/".join(parts[:count]) for count in range(len(parts) - 1, 1, -1)]
        found += [f"/{parts[-1]}"] if len(parts) > 1 else []
    return found


def where_defined(names: Iterable[str]) -> Generator[Ask, list[str], list[Place]]:
    """Places of functions by their names."""
    wanted = [f"def {name}(" for name in dict.fromkeys(names)][: 2 * _MOST]
    hits = yield from find_in_source(wanted)
    return [
        Place(hit.path, hit.line, text[4:-1])
        for text in wanted
        for hit in hits.get(text, ())[:3]
        if _is_code(hit)
    ]


def _placed(hit: Hit) -> Place:
    return Place(hit.path, hit.line)


def _is_code(hit: Hit) -> bool:
    return hit.path.endswith(".py") and not is_test_path(hit.path)


def function_at(tree: ast.Module, place: Place) -> Function | None:
    """The innermost function at a place, by its line or else by its name."""
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    around = [one for one in functions if one.lineno <= place.line <= (one.end_lineno or 0)]
    if around:
        return max(around, key=lambda one: one.lineno)
    return next((one for one in functions if one.name == place.function), None)


def called_in(files: dict[str, SourceFile], places: Iterable[Place]) -> list[str]:
    """Names of functions and methods that are called in the functions at these places."""
    names = []
    for place in places:
        try:
            tree = ast.parse(files[place.path].text) if place.path in files else ast.Module([], [])
        except SyntaxError:
            continue
        around = function_at(tree, place)
        for node in ast.walk(around) if around else ():
            if isinstance(node, ast.Call):
                target = node.func
                names.append(target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", ""))
    return [name for name in dict.fromkeys(names) if len(name) > 2 and not name[0].isupper()]
