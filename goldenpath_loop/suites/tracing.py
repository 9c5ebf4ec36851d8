"""Which lines of a tree a run executes: what to set before it, and how to read what it left."""

from __future__ import annotations

import ast
import contextlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import coverage

from goldenpath_loop.records.base import TestId
from goldenpath_loop.records.receipts import ExecutedFile, ExecutedLine

__all__ = ["Tracing"]

_HERE = Path(__file__).parent / "tracer"
_SETTINGS = """[run]
parallel = true
sigterm = true
dynamic_context = test_function
data_file = {data}
source = {tree}
disable_warnings = module-not-imported, no-data-collected, module-not-measured, couldnt-parse
"""


@dataclass(frozen=True, slots=True)
class _Tests:
    failing: Sequence[TestId]
    passing: Sequence[TestId]
    known: frozenset[str]
    """Names of test functions that were seen at all."""

    def count(self, names: set[str], tests: Sequence[TestId]) -> int:
        """How many of `tests` ran a line that was run in the contexts `names`."""
        if names <= {""}:
            return len(tests)
        functions = {name.rpartition(".")[2] for name in names}
        return sum((name := _function(test)) in functions or name not in self.known for test in tests)


@dataclass(frozen=True, slots=True)
class Tracing:
    """A traced run of one tree.

    Args:
        tree: Whose lines count.
        folder: Where the run's Python processes leave what they saw.
    """

    tree: Path
    folder: Path

    def environment(self) -> dict[str, str]:
        """Variables by which every Python process of the run takes part; `PYTHONPATH` goes behind any other."""
        settings = self.folder / "coverage.ini"
        settings.write_text(_SETTINGS.format(data=self.folder / "lines", tree=self.tree))
        library = self.folder / "library"
        library.mkdir(exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (library / "coverage").symlink_to(Path(coverage.__file__).parent)
        return {
            "PYTHONPATH": str(_HERE),
            "COVERAGE_PROCESS_START": str(settings),
            "GOLDENPATH_COVERAGE": str(library),
        }

    def read(
        self, paths: Iterable[str], *, failing: Sequence[TestId], passing: Sequence[TestId]
    ) -> tuple[ExecutedFile, ...]:
        """What was executed of `paths`; files that no process ran are left out.

        Args:
            paths: Files of the tree, relative to it.
            failing: Tests that failed in the run. What ran outside of any test counts as run by all of them, and
                of a test that was not seen by its name, like one in another language, everything does.
            passing: Tests that passed in it.
        """
        shown = list(self._data())
        known = {name.rpartition(".")[2] for data in shown for name in data.measured_contexts()}
        tests = _Tests(failing, passing, frozenset(known))
        found = [self._file(path, shown, tests) for path in paths if path.endswith(".py")]
        return tuple(one for one in found if one is not None)

    def _data(self) -> Iterable[coverage.CoverageData]:
        for file in sorted(self.folder.glob("lines.*")):
            data = coverage.CoverageData(basename=str(file))
            try:
                data.read()
            except coverage.CoverageException:
                # A process that was killed while it wrote.
                continue
            yield data

    def _file(self, path: str, shown: Sequence[coverage.CoverageData], tests: _Tests) -> ExecutedFile | None:
        contexts: dict[int, set[str]] = {}
        full = os.path.realpath(self.tree / path)
        for data in shown:
            for measured in data.measured_files():
                if os.path.realpath(measured) == full:
                    for line, names in data.contexts_by_lineno(measured).items():
                        contexts.setdefault(line, set()).update(names)
        if not contexts:
            return None
        body = _lines_in_functions(self.tree / path)
        lines = tuple(
            ExecutedLine(
                line=line,
                failed=tests.count(names, tests.failing),
                passed=tests.count(names, tests.passing),
                in_function=line in body,
            )
            for line, names in sorted(contexts.items())
            if line
        )
        return ExecutedFile(path=path, lines=tuple(one for one in lines if one.failed))


def _function(test: TestId) -> str:
    return test.rpartition("::")[2].partition("[")[0]


def _lines_in_functions(path: Path) -> frozenset[int]:
    """Lines inside of function bodies: those run when something is called, not when the module is imported."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return frozenset()
    return frozenset(
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for line in range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
    )
