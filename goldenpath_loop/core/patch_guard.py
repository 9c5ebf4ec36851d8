"""Why a patch that somebody proposed is not even tried: what it touches, how much, and what it smuggles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from goldenpath_loop.records.history import Hunk
from goldenpath_loop.records.target import TargetSpec

__all__ = ["imported_names", "patch_problems"]

MOST_FILES = 10
MOST_LINES = 400

_TESTS = re.compile(
    r"(?:^|/)(?:(?i:tests?|specs?|__tests__|e2e)/"
    r"|(?:test_[^/]*|tests\.py|conftest\.py|[^/]*[._-](?:test|spec)\.[^/]+|pytest\.ini|tox\.ini|setup\.cfg)$"
    r"|[^/]*Tests?\.(?:java|kt|cs|scala|swift|php)$)"
)
_MACHINERY = re.compile(r"(?:^|/)\.[^/]|(?:^|/)(?:Jenkinsfile|Makefile|noxfile\.py|goldenpath\.toml)$")
_MANIFEST = re.compile(
    r"(?:^|/)(?:requirements(?:/[^/]+|[^/]*)\.(?:txt|in)|constraints[^/]*\.txt|pyproject\.toml|setup\.py|Pipfile|package\.json"
    r"|go\.(?:mod|sum)|Cargo\.toml|Gemfile|[^/]*\.lock|[^/]*-lock\.\w+)$"
)
_UNDER_TEST = re.compile(
    r"PYTEST_[A-Z]|sys\.modules[^\n]*\b_?(?:pytest|unittest)|\b_?(?:pytest|unittest)[^\n]*sys\.(?:modules|argv)"
    r"|sys\.argv[^\n]*\b(?:pytest|unittest)"
)
_SKIP = re.compile(r"\b(?:pytest\.(?:skip|xfail|mark\.(?:skip|xfail))|unittest\.skip|\.only\(|it\.skip\()")
_COMMENT = r"[^\S\n]*(?:#[^\n]*)?"
_SWALLOWED = re.compile(
    rf"except\b[^\n]*?:{_COMMENT}(?:\n{_COMMENT})*(?:pass\b|\.\.\.)|\bsuppress\(|catch\s*(?:\([^)\n]*\))?\s*\{{\s*\}}"
)
_RAISES, _PASSES = (
    re.compile(r"^\s*raise\b", re.MULTILINE),
    re.compile(r"^\s*(?:pass|\.\.\.)\s*(?:#.*)?$", re.MULTILINE),
)
_FROM = re.compile(r"(?:^|[;:])\s*from\s+([^\W\d]\w*)[\w.]*\s+import\b", re.MULTILINE)
_IMPORT = re.compile(r"(?:^|[;:])\s*import\s+([^;#\n(]+)", re.MULTILINE)
_BY_NAME = re.compile(r"\b(?:__import__|import_module)\(\s*[\"']([^\W\d]\w*)")


def patch_problems(hunks: Sequence[Hunk], target: TargetSpec, *, changed: Sequence[str]) -> tuple[str, ...]:
    """Reasons against a patch, the first one first; none when it may be tried.

    Args:
        hunks: What it changes.
        target: Which paths are protected, and which may be patched.
        changed: Every path it changes, also those without text.
    """
    if not changed:
        return ("it changes nothing",)
    found = [reason for path in changed if (reason := _path_problem(path, target))]
    if len(changed) > MOST_FILES:
        found.append(f"it changes {len(changed)} files, and {MOST_FILES} are allowed")
    lines = sum(len(hunk.added) + len(hunk.removed) for hunk in hunks)
    if lines > MOST_LINES:
        found.append(f"it changes {lines} lines, and {MOST_LINES} are allowed")
    bare = set(changed) - {hunk.path for hunk in hunks}
    if bare:
        found.append(f"{min(bare)} changes in a way that is no text")
    for hunk in hunks:
        added = "\n".join(hunk.added)
        for shape, reason in (
            (_UNDER_TEST, "behaves differently under test"),
            (_SKIP, "skips a test"),
            (_SWALLOWED, "swallows an exception"),
        ):
            if shape.search(added):
                found.append(f"{hunk.path} {reason}")
        removed = "\n".join(hunk.removed)
        if _RAISES.search(removed) and not _RAISES.search(added) and _PASSES.search(added):
            found.append(f"{hunk.path} swallows an exception")
    return tuple(dict.fromkeys(found))


def imported_names(hunks: Iterable[Hunk]) -> frozenset[str]:
    """Top-level packages that the added lines of Python files import."""
    names: set[str] = set()
    for hunk in hunks:
        if hunk.path.endswith(".py"):
            added = "\n".join(hunk.added)
            listed = (name for found in _IMPORT.findall(added) for name in found.split(","))
            names |= {name.split()[0].split(".")[0] for name in listed if name.strip()}
            names |= {*_FROM.findall(added), *_BY_NAME.findall(added)}
    return frozenset(names)


def _path_problem(path: str, target: TargetSpec) -> str:
    if target.protects(path) or _TESTS.search(path):
        return f"{path} belongs to the tests"
    if _MACHINERY.search(path):
        return f"{path} belongs to the machinery around the code"
    if _MANIFEST.search(path):
        return f"{path} says which packages are needed"
    if target.patchable and not any(
        path == one or path.startswith(f"{one.rstrip('/')}/") for one in target.patchable
    ):
        return f"{path} lies outside of what may be patched"
    return ""
