"""What a checkout shows of itself to somebody who has to write its first configuration."""

from __future__ import annotations

import configparser
import json
import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from goldenpath_loop.config.compose import ComposeService, compose_services
from goldenpath_loop.config.index import DEFAULT_PRIORITY, IndexRow, read_index
from goldenpath_loop.config.index_suites import find_file

__all__ = ["FoundIndex", "FoundSuite", "Surroundings", "look_around", "priority_by_name"]

_PASSED_OVER = {"node_modules", "__pycache__", "site-packages", "venv", "build", "dist"}
_NOT_PACKAGES = {"tests", "test", "docs", "doc", "examples", "scripts", "benchmarks", "tools"}
_TEST_FILE = re.compile(r"(test_.*|.*_test)\.py", re.DOTALL)
_MAX_SINGLE_FILES = 12
_BY_NAME = (
    (1, ("smoke", "critical", "golden", "goldenpath", "health")),
    (2, ("e2e", "auth", "authentication", "login", "payment", "payments", "checkout", "websocket")),
    (5, ("perf", "performance", "slow", "load", "nightly", "stress")),
)


@dataclass(frozen=True, slots=True)
class FoundSuite:
    """Tests that can run as one suite."""

    name: str
    path: str
    priority: int
    reason: str
    """Why this priority."""
    needs: tuple[str, ...] = ()
    markers: str = ""
    value_at_risk_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class FoundIndex:
    """A Markdown test index and what of it is not usable."""

    path: str
    rows: tuple[IndexRow, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything found, paths relative to the checkout."""

    name: str
    branch: str
    remote: str
    python: str
    """Interpreter of the checkout's own environment; empty when there is none."""
    tests: tuple[str, ...]
    packages: tuple[str, ...]
    markers: tuple[str, ...]
    suites: tuple[FoundSuite, ...]
    index: FoundIndex | None
    compose_file: str
    services: tuple[ComposeService, ...]
    npm_test: str
    """The test script of package.json; empty when there is none."""


def look_around(root: Path, *, branch: str, remote: str) -> Surroundings:
    """Look at the files of the checkout at `root`. Nothing is run and nothing is written.

    Files that cannot be read count as absent.
    """
    settings = _pytest_settings(root)
    folders = _test_folders(root, settings.get("testpaths", "").split())
    tests = tuple(f"{folder}/" for folder in folders)
    if (root / "conftest.py").is_file():
        tests = (*tests, "conftest.py")
    index = _index(root)
    compose_file, services = _compose(root)
    suites = _indexed(root, index, tests, services) if index else ()
    return Surroundings(
        name=root.resolve().name or "target",
        branch=branch,
        remote=remote,
        python=_interpreter(root),
        tests=tests,
        packages=_packages(root, folders),
        markers=_markers(settings.get("markers", "")),
        suites=suites or _suites(root, folders),
        index=index,
        compose_file=compose_file,
        services=services,
        npm_test=_npm_test(root),
    )


def priority_by_name(path: str) -> tuple[int, str]:
    """A first guess at the priority of the tests at `path`, with its reason."""
    words = set(re.split(r"[^a-z0-9]+", path.lower()))
    for priority, telling in _BY_NAME:
        for word in telling:
            if word in words:
                return priority, f"its name says `{word}`"
    return DEFAULT_PRIORITY, "nothing in its name says more"


def _pytest_settings(root: Path) -> dict[str, str]:
    """pytest's own settings, from the first file that pytest would take them from."""
    for name, section in (("pytest.ini", "pytest"), (".pytest.ini", "pytest")):
        found = _ini(root / name, section)
        if found is not None:
            return found
    pytest = _table(_toml(root / "pyproject.toml"), "tool", "pytest")
    options = _table(pytest, "ini_options") or pytest
    if options:
        return {
            key: "\n".join(str(item) for item in value) if isinstance(value, list) else str(value)
            for key, value in options.items()
        }
    return _ini(root / "tox.ini", "pytest") or _ini(root / "setup.cfg", "tool:pytest") or {}


def _ini(path: Path, section: str) -> dict[str, str] | None:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return None
    return dict(parser[section]) if parser.has_section(section) else None


def _toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


def _table(tree: object, *keys: str) -> dict[str, object]:
    for key in keys:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree if isinstance(tree, dict) else {}


def _markers(text: str) -> tuple[str, ...]:
    names = (line.split(":")[0].split("(")[0].strip() for line in text.split("\n"))
    return tuple(name for name in names if name)


def _walk(root: Path) -> Iterator[Path]:
    """Files below `root`, relative to it, in a fixed order; not those of environments and builds."""
    for place, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name[0] != "." and name not in _PASSED_OVER)
        for name in sorted(files):
            relative = Path(place, name).relative_to(root)
            # A name that is not UTF-8 cannot stand in a TOML file.
            if not any("\ud800" <= letter <= "\udfff" for letter in str(relative)):
                yield relative


def _test_folders(root: Path, testpaths: Sequence[str]) -> tuple[str, ...]:
    inside = (path.strip("/") for path in testpaths if not path.startswith(("/", "..")))
    named = [path for path in inside if path and (root / path).is_dir()]
    if named:
        return tuple(dict.fromkeys(path for path in named if path != "."))
    found: list[str] = []
    for path in _walk(root):
        if not _TEST_FILE.fullmatch(path.name):
            continue
        holders = [number for number, part in enumerate(path.parts[:-1]) if part in ("tests", "test")]
        folder = "/".join(path.parts[: holders[0] + 1]) if holders else path.parent.as_posix()
        if folder != "." and not any(folder == known or folder.startswith(f"{known}/") for known in found):
            found.append(folder)
    return tuple(found)


def _suites(root: Path, folders: Sequence[str]) -> tuple[FoundSuite, ...]:
    paths: list[str] = []
    for folder in folders or (".",):
        files = [path for path in _walk(root / folder) if _TEST_FILE.fullmatch(path.name)]
        direct = [path.name for path in files if len(path.parts) == 1]
        below = sorted({path.parts[0] for path in files if len(path.parts) > 1})
        prefix = "" if folder == "." else f"{folder}/"
        if direct and (not below or len(direct) > _MAX_SINGLE_FILES) and folder != ".":
            paths.append(folder)
        else:
            paths += [f"{prefix}{name}" for name in direct]
            paths += [f"{prefix}{name}" for name in below] if folder != "." else []
    return _as_suites(paths)


def _as_suites(paths: Sequence[str]) -> tuple[FoundSuite, ...]:
    suites: list[FoundSuite] = []
    taken: set[str] = set()
    for path in paths:
        stem = path.rsplit("/", 1)[-1].removesuffix(".py").removeprefix("test_")
        slug = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "suite"
        name, number = slug, 2
        while name in taken:
            name, number = f"{slug}-{number}", number + 1
        taken.add(name)
        priority, reason = priority_by_name(path)
        suites.append(FoundSuite(name, path, priority, reason))
    return tuple(suites)


def _index(root: Path) -> FoundIndex | None:
    """The Markdown file with the most usable rows, under tests/ or docs/ or called an index."""
    best: FoundIndex | None = None
    for path in _walk(root):
        if path.suffix.lower() != ".md":
            continue
        if path.parts[0] not in ("tests", "test", "docs", "doc") and "index" not in path.name.lower():
            continue
        try:
            found = read_index((root / path).read_text("utf-8"))
        except (OSError, UnicodeDecodeError):
            continue
        problems = tuple(f"line {problem.line}: {problem.message}" for problem in found.problems)
        # One mention of a test file does not make a page an index.
        is_index = any(row.priority_stated or row.value_at_risk_usd for row in found.rows)
        if is_index and (best is None or len(found.rows) > len(best.rows)):
            best = FoundIndex(path.as_posix(), found.rows, problems)
    return best


def _indexed(
    root: Path, index: FoundIndex, tests: Sequence[str], services: Sequence[ComposeService]
) -> tuple[FoundSuite, ...]:
    known = {service.name for service in services if service.port}
    suites: list[FoundSuite] = []
    for row in index.rows:
        found = find_file(row.file, index=index.path, root=root, tests=tests or ("",))
        if len(found) != 1:
            continue
        if row.priority_stated:
            priority, reason = row.priority, f"{index.path}, line {row.line}"
        else:
            priority, reason = priority_by_name(found[0])
        needs = tuple(name for name in row.needs if name in known)
        suites.append(
            FoundSuite(row.suite, found[0], priority, reason, needs, row.markers, row.value_at_risk_usd)
        )
    return tuple(suites)


def _compose(root: Path) -> tuple[str, tuple[ComposeService, ...]]:
    names = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
    for name in names:
        try:
            services = compose_services((root / name).read_text("utf-8"))
        except (OSError, UnicodeDecodeError):
            continue
        if services:
            return name, services
    return "", ()


def _npm_test(root: Path) -> str:
    try:
        script = _table(json.loads((root / "package.json").read_text("utf-8")), "scripts").get("test", "")
    except (OSError, ValueError, RecursionError):
        return ""
    # What `npm init` writes for want of tests.
    return script if isinstance(script, str) and "no test specified" not in script else ""


def _packages(root: Path, tests: Sequence[str]) -> tuple[str, ...]:
    found: set[str] = set()
    for base in (root, root / "src"):
        if base.is_dir():
            found |= {
                folder.name
                for folder in base.iterdir()
                if (folder / "__init__.py").is_file()
                and folder.name.isidentifier()
                and folder.name not in _NOT_PACKAGES
                and folder.relative_to(root).as_posix() not in tests
            }
    return tuple(sorted(found))


def _interpreter(root: Path) -> str:
    for name in (".venv", "venv"):
        python = root / name / "bin" / "python"
        if os.access(python, os.X_OK):
            return str(python.absolute())
    return ""
