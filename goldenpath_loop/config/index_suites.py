"""Suites from a Markdown test index, each file found in the checkout."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from goldenpath_loop.config.index import EXPECTED, Index, IndexRow, read_index
from goldenpath_loop.errors import ConfigurationError
from goldenpath_loop.records.target import SuiteSpec

__all__ = ["find_file", "index_in", "suite_of", "suites_from_index"]

_PASSED_OVER = {"node_modules", "__pycache__", "site-packages", "venv"}


def index_in(index: str, *, root: Path) -> Index:
    """The index at `index`, relative to the checkout.

    Raises:
        ConfigurationError: It cannot be read, or no row can be used.
    """
    try:
        text = (root / index).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8 text"
        raise ConfigurationError(
            f"the test index cannot be read: {reason}", where=index, advice="`target.index` names it"
        ) from error
    found = read_index(text)
    if not found.rows:
        lines = "".join(f"\n  line {problem.line}: {problem.message}" for problem in found.problems)
        raise ConfigurationError(
            "the test index has no row that can be used", where=index, advice=f"expected is {EXPECTED}{lines}"
        )
    return found


def suites_from_index(index: str, *, root: Path, tests: Sequence[str]) -> list[tuple[SuiteSpec, int]]:
    """Suite and line in the index of every usable row.

    Args:
        index: The Markdown file, relative to `root`.
        root: Top of the checkout.
        tests: Path prefixes that hold tests; files written without a folder are looked for there.

    Raises:
        ConfigurationError: The index is unusable, or a file name in it fits several files.
    """
    suites: list[tuple[SuiteSpec, int]] = []
    for row in index_in(index, root=root).rows:
        found = find_file(row.file, index=index, root=root, tests=tests)
        if len(found) > 1:
            raise ConfigurationError(
                f"`{row.file}` could be any of {', '.join(found)}",
                where=f"{index}:{row.line}",
                advice="write the path from the top of the checkout",
            )
        suites.append((suite_of(row, found[0] if found else row.file), row.line))
    return suites


def suite_of(row: IndexRow, path: str) -> SuiteSpec:
    """The suite that `row` describes, its tests at `path`."""
    return SuiteSpec(
        name=row.suite,
        path=path,
        markers=row.markers,
        priority=row.priority,
        needs=row.needs,
        value_at_risk_usd=row.value_at_risk_usd,
    )


def find_file(file: str, *, index: str, root: Path, tests: Sequence[str]) -> list[str]:
    """Paths, relative to `root`, that `file` of the index may mean; one if all is well, empty if it is gone.

    It is taken from the top of the checkout, then from the index's own folder, then by name among the tests.
    """
    name, separator, inside = file.partition("::")
    for folder in (root, (root / index).parent):
        place = folder / name
        if place.exists() and place.resolve().is_relative_to(root.resolve()):
            return [place.resolve().relative_to(root.resolve()).as_posix() + separator + inside]
    found = {
        path.relative_to(root).as_posix() + separator + inside
        for prefix in tests
        for path in _below(root / prefix)
        if path.relative_to(root).as_posix().endswith(f"/{name}")
    }
    return sorted(found)


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _PASSED_OVER]
        yield from (Path(place, name) for name in files)
