"""goldenpath.toml, or [tool.goldenpath] of pyproject.toml, to settings that know where they came from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from goldenpath_loop.config.draft import NAMED, TABLES, Draft, apply, gates_of, names_in, read_tables
from goldenpath_loop.config.index_suites import suites_from_index
from goldenpath_loop.config.origin import Origin, Places
from goldenpath_loop.config.overrides import read_overrides
from goldenpath_loop.config.position import KeyPath, dotted, key_lines
from goldenpath_loop.config.problems import Problem, UnusableConfigurationError
from goldenpath_loop.config.references import disagreements
from goldenpath_loop.errors import ConfigurationError
from goldenpath_loop.records.policy import Settings

__all__ = ["CONFIG_NAME", "Loaded", "checkout_of", "find_config", "load"]

CONFIG_NAME = "goldenpath.toml"
_PROJECT_NAME = "pyproject.toml"
_PROJECT_TABLE = ("tool", "goldenpath")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be worked with."""

    settings: Settings
    origins: Mapping[str, Origin]
    """Where each value came from, by dotted key; elements of lists of tables are numbered from 0."""
    root: Path
    """Top folder of the target's checkout; the file's own folder when it lies in no repository."""
    path: Path
    """The file that was read."""
    demo: str = ""
    """Name of the built-in target asked for; empty when the file describes a target."""


def find_config(start: Path) -> Path | None:
    """The nearest configuration in `start` or above it; None when there is none.

    In one folder goldenpath.toml comes before pyproject.toml.
    """
    folder = start.resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / CONFIG_NAME).is_file():
            return candidate / CONFIG_NAME
        project = candidate / _PROJECT_NAME
        if project.is_file() and _has_table(project):
            return project
    return None


def checkout_of(folder: Path) -> Path | None:
    """The nearest folder, `folder` itself or above it, that is the top of a git checkout."""
    for candidate in (folder, *folder.parents):
        if (candidate / ".git").exists():
            return candidate
    return None


def load(path: Path, *, environ: Mapping[str, str]) -> Loaded:
    """Read and check the configuration in `path`.

    Args:
        path: A goldenpath.toml, or a pyproject.toml with a [tool.goldenpath] table.
        environ: Environment variables; `GOLDENPATH_LIMITS__CYCLES=3` stands above the file.

    Raises:
        ConfigurationError: The file cannot be read or has problems; an UnusableConfigurationError lists all
            problems with its keys at once.
    """
    path = path.resolve()
    root = checkout_of(path.parent) or path.parent
    tree, places = _parse(path)
    overrides, unknown = read_overrides(
        environ,
        tables=TABLES,
        named={table: (model, names_in(tree, table)) for table, model in NAMED.items()},
        gates=gates_of(),
    )
    places = Places(
        places.file,
        places.prefix,
        places.lines,
        {override.path: Origin(variable=override.variable) for override in overrides},
    )
    draft = read_tables(apply(tree, overrides))
    if draft.settings.target.index and not draft.settings.suites:
        places = _add_indexed_suites(draft, places, root)
    draft.problems += disagreements(draft.settings, unread=draft.unread)
    if draft.problems or unknown:
        # In the order of the file, so that the first one named is the first one met.
        draft.problems.sort(key=lambda problem: places.nearest(problem[0]).line)
        said = [Problem(places.where(inner), message, advice) for inner, message, advice in draft.problems]
        raise UnusableConfigurationError([*said, *unknown])
    origins = {dotted(key): places.origin(key) for key in _leaves(draft.settings)}
    return Loaded(draft.settings, origins, root, path, draft.demo)


def _parse(path: Path) -> tuple[dict[str, object], Places]:
    name = path.name
    text = _text(path)
    try:
        tree: object = tomllib.loads(text)
        lines = key_lines(text)
    except RecursionError as error:
        raise ConfigurationError("lists or tables are nested too deeply to be read", where=name) from error
    except ValueError as error:
        raise _broken(name, text, error) from error
    prefix: KeyPath = _PROJECT_TABLE if name == _PROJECT_NAME else ()
    for part in prefix:
        tree = tree.get(part) if isinstance(tree, dict) else None
    if not isinstance(tree, dict):
        raise ConfigurationError(
            "there is no [tool.goldenpath] table", where=name, advice="`loop init` writes one"
        )
    return tree, Places(name, prefix, lines)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigurationError("the file is not UTF-8 text", where=f"{path.name}:{line}") from error
    except OSError as error:
        raise ConfigurationError(
            f"the file cannot be read: {error.strerror or error}",
            where=str(path),
            advice="`loop init` writes one",
        ) from error


def _broken(name: str, text: str, error: ValueError) -> ConfigurationError:
    """The parser puts the place at the end of its message: `... (at line 3, column 5)`."""
    said = str(error)
    place = re.search(r" \(at line (\d+), column (\d+)\)$", said)
    if place:
        where = f"{name}:{place[1]}:{place[2]}"
        said = said[: place.start()]
    elif said.endswith(" (at end of document)"):
        where = f"{name}:{text.count(chr(10)) + 1}"
        said = said.removesuffix(" (at end of document)") + " before the end of the file"
    else:
        where = name
    twice = re.match(r"Cannot (?:declare \((.*?),?\) twice|overwrite a value)", said)
    if twice:
        table = ".".join(re.findall(r"'([^']*)'", twice[1] or ""))
        said = f"[{table}] is defined twice" if table else "the key is defined twice"
        return ConfigurationError(said, where=where, advice="merge the two, or rename one")
    return ConfigurationError(f"not TOML: {said}", where=where)


def _has_table(project: Path) -> bool:
    try:
        tool = tomllib.loads(project.read_text("utf-8")).get("tool")
    except (OSError, ValueError, RecursionError):
        # A broken file that means us is worth reporting; any other is not our business.
        try:
            return b"[tool.goldenpath" in project.read_bytes()
        except OSError:
            return False
    return isinstance(tool, dict) and _PROJECT_TABLE[1] in tool


def _add_indexed_suites(draft: Draft, places: Places, root: Path) -> Places:
    index = draft.settings.target.index
    try:
        found = suites_from_index(index, root=root, tests=draft.settings.target.tests)
    except ConfigurationError as error:
        if not draft.problems:
            raise
        draft.problems.append((("target", "index"), error.message, error.advice))
        draft.unread["focuses",] = frozenset("*")
        return places
    draft.settings = draft.settings.model_copy(update={"suites": tuple(suite for suite, _ in found)})
    elsewhere = dict(places.elsewhere)
    elsewhere |= {("suites", suite.name): Origin(index, line) for suite, line in found}
    return Places(places.file, places.prefix, places.lines, elsewhere)


def _leaves(settings: Settings) -> Iterator[KeyPath]:
    for table, model in settings.model_dump(by_alias=True).items():
        if table in NAMED:
            for record in model:
                yield from _below((table, record["name"]), {k: v for k, v in record.items() if k != "name"})
        else:
            yield from _below((table,), model)


def _below(path: KeyPath, value: object) -> Iterator[KeyPath]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _below((*path, key), inner)
    elif isinstance(value, (list, tuple)) and value and isinstance(value[0], dict):
        for number, inner in enumerate(value):
            yield from _below((*path, number), inner)
    else:
        yield path
