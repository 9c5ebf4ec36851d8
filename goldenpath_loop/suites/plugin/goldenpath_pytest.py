"""A pytest plugin that writes what happens, one JSON line an event, so that also a crash names its test.

It runs in the interpreter of the tests, which need not have this project installed: standard library and
pytest >= 6 only, Python >= 3.8. It must never change how a run ends, except where the code under test
comes from the wrong tree.

Environment:
    GOLDENPATH_STREAM: file the events are appended to; without it the plugin does nothing.
    GOLDENPATH_TREE: the tree under test.
    GOLDENPATH_FOREIGN_ROOT: another checkout; modules imported from it spoil the run, which is then ended.
    GOLDENPATH_PACKAGES: import names that must come from the tree, comma between them; without it those whose
        code lies at the top of the tree or in its `src`.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import platform
import signal
import sys
import threading
import time
import traceback
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

_LONGREPR_CHARS = 60_000
_OUTPUT_CHARS = 16_000
_MESSAGE_CHARS = 8_000
_FRAMES = 40
_LIBRARIES = ("site-packages", "dist-packages")


def pytest_configure(config: Any) -> None:
    stream = os.environ.get("GOLDENPATH_STREAM")
    if not stream or config.pluginmanager.has_plugin("goldenpath-recorder"):
        return
    recorder = Recorder(config, stream)
    config.pluginmanager.register(recorder, "goldenpath-recorder")
    with recorder.guarded("configure"):
        recorder.narrow_arguments()
        recorder.dump_stacks_when_ended(stream + ".stacks")


class Recorder:
    """Writes the stream. Under pytest-xdist the controller speaks for its workers."""

    def __init__(self, config: Any, stream: str) -> None:
        self._config = config
        self._file = os.open(stream, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._worker = getattr(config, "workerinput", None)
        self._tree = os.path.realpath(os.environ.get("GOLDENPATH_TREE") or str(Path.cwd()))
        foreign = os.environ.get("GOLDENPATH_FOREIGN_ROOT")
        self._foreign = os.path.realpath(foreign) if foreign else ""
        named = os.environ.get("GOLDENPATH_PACKAGES")
        self._packages = set(named.split(",")) if named else _importable(self._tree)
        self._selected: list[str] = []
        self._stacks: Any = None

    def narrow_arguments(self) -> None:
        """Collect the files of the chosen tests and choose among what they hold.

        Given to pytest as they are, one name that is no longer there would keep all the others from running.
        A worker of pytest-xdist starts from the same arguments and does the same.
        """
        chosen = [arg for arg in self._config.args if "::" in arg]
        files = list(dict.fromkeys(arg.split("::", 1)[0] for arg in self._config.args))
        there = [path for path in files if Path(path).exists()]
        if chosen and there:
            self._selected = [arg for arg in self._config.args if arg.split("::", 1)[0] in there]
            self._config.args = there

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        if not self._selected:
            return
        with self.guarded("select"):
            whole = {arg for arg in self._selected if "::" in arg}
            starts = tuple(arg + mark for arg in whole for mark in ("::", "["))
            files = tuple(arg for arg in self._selected if "::" not in arg)
            items[:] = [
                item
                for item in items
                if item.nodeid in whole
                or item.nodeid.startswith(starts)
                or any(_lies_in(item.nodeid.split("::", 1)[0], path) for path in files)
            ]

    def pytest_sessionstart(self, session: Any) -> None:
        with self.guarded("session_start"):
            if self._worker is None:
                self._write(
                    "session_start",
                    pid=os.getpid(),
                    python=platform.python_version(),
                    pytest=pytest.__version__,
                    rootdir=str(getattr(self._config, "rootpath", None) or self._config.rootdir),
                    argv=[str(arg) for arg in self._config.invocation_params.args],
                )

    def pytest_deselected(self, items: Iterable[Any]) -> None:
        with self.guarded("deselected"):
            if self._worker is None:
                self._write("deselected", ids=[item.nodeid for item in items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Iterable[str]) -> None:
        """Hook of pytest-xdist: every worker collects everything."""
        with self.guarded("collected"):
            self._write("collected", ids=list(ids))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: Any) -> None:
        foreign: dict[str, str] = {}
        with self.guarded("collected"):
            foreign = self._foreign_modules()
            self._write("imports", when="collection", foreign=foreign)
            if self._worker is None and not self._is_distributing():
                self._write("collected", ids=[item.nodeid for item in session.items])
        if foreign:
            name, path = next(iter(foreign.items()))
            pytest.exit(f"{name} was imported from {path}, outside the tree under test")

    def pytest_internalerror(self, excrepr: Any) -> None:
        with self.guarded("internal_error"):
            self._write("internal_error", text=_ends(str(excrepr), _LONGREPR_CHARS))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: Any, exitstatus: Any) -> None:
        with self.guarded("session_finish"):
            self._write("imports", when="finish", foreign=self._foreign_modules())
            if self._worker is None:
                self._write("session_finish", exit_status=int(exitstatus))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector: Any) -> Generator[None, Any, None]:
        outcome = yield
        with self.guarded("collect_report"):
            report = outcome.get_result()
            call = getattr(report, "call", None)
            if report.failed and call is not None and call.excinfo is not None:
                report.goldenpath = self._describe(_told_cause(call.excinfo.value))

    def pytest_collectreport(self, report: Any) -> None:
        with self.guarded("collect"):
            if self._worker is not None:
                return
            if report.failed:
                self._write(
                    "collect_error",
                    id=report.nodeid,
                    longrepr=_ends(_longrepr(report), _LONGREPR_CHARS),
                    error=getattr(report, "goldenpath", None),
                )
            else:
                self._write("collector", id=report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        with self.guarded("test_start"):
            if self._worker is None:
                self._write("test_start", id=nodeid, line=(location[1] or 0) + 1)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Generator[None, Any, None]:
        outcome = yield
        with self.guarded("make_report"):
            report = outcome.get_result()
            if call.excinfo is not None and (report.failed or report.outcome == "rerun"):
                report.goldenpath = self._describe(call.excinfo.value)

    def pytest_runtest_logreport(self, report: Any) -> None:
        with self.guarded("test_report"):
            if self._worker is not None:
                return
            facts: dict[str, Any] = {
                "id": report.nodeid,
                "stage": report.when,
                "outcome": report.outcome,
                "duration_s": float(getattr(report, "duration", 0.0)),
                "error": getattr(report, "goldenpath", None),
                "stdout": _tail(getattr(report, "capstdout", "")),
                "stderr": _tail(getattr(report, "capstderr", "")),
                "log": _tail(getattr(report, "caplog", "")),
            }
            if report.failed or report.outcome == "rerun":
                facts["longrepr"] = _ends(_longrepr(report), _LONGREPR_CHARS)
            if report.skipped:
                facts["reason"] = _skip_reason(report)
            if hasattr(report, "wasxfail"):
                facts["wasxfail"] = str(report.wasxfail)
            if type(report).__name__ in ("SubtestReport", "SubTestReport"):
                facts["subtest"] = True
            self._write(
                "test_report", **{key: value for key, value in facts.items() if value not in (None, "")}
            )

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        with self.guarded("test_end"):
            if self._worker is None:
                self._write("test_end", id=nodeid)

    @contextlib.contextmanager
    def guarded(self, where: str) -> Iterator[None]:
        """Our own failures are written down and never reach the run."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 -- a broken instrument must not break what it measures
            with contextlib.suppress(Exception):
                self._write("internal", where=where, error=f"{type(error).__name__}: {error}")

    def dump_stacks_when_ended(self, path: str) -> None:
        """Leave the stacks of all threads when the run is ended from outside: they show where it hangs."""
        if self._worker is not None or not hasattr(faulthandler, "register"):
            return
        self._stacks = Path(path).open("ab", 0)  # noqa: SIM115 -- stays open as long as the process lives
        faulthandler.register(signal.SIGTERM, file=self._stacks, all_threads=True, chain=True)
        if hasattr(os, "register_at_fork"):
            # A child that a test forks and ends is no hang of the run.
            os.register_at_fork(after_in_child=lambda: faulthandler.unregister(signal.SIGTERM))

    def _write(self, event: str, **facts: Any) -> None:
        if os.getpid() != self._pid:
            return  # a forked child that never left the test run
        line = json.dumps({"event": event, "at": time.time(), **facts}) + "\n"
        left = memoryview(line.encode("ascii"))
        with self._lock:
            while left:
                left = left[os.write(self._file, left) :]

    def _is_distributing(self) -> bool:
        return bool(self._config.pluginmanager.has_plugin("dsession"))

    def _foreign_modules(self) -> dict[str, str]:
        found = self._installed_copies()
        if not self._foreign:
            return found
        # An interpreter inside the checkout is no code under test; one around it says nothing.
        prefixes = {os.path.realpath(prefix) for prefix in (sys.prefix, sys.exec_prefix, sys.base_prefix)}
        inner = [prefix for prefix in prefixes if prefix != self._foreign and _lies_in(prefix, self._foreign)]
        for name, module in list(sys.modules.items()):
            path = getattr(module, "__file__", None)
            if not isinstance(path, str) or name == __name__:
                continue
            path = os.path.realpath(path)
            if not _lies_in(path, self._foreign) or _lies_in(path, self._tree):
                continue
            if any(part in _LIBRARIES for part in Path(path).parts):
                continue
            if not any(_lies_in(path, prefix) for prefix in inner):
                found[name] = path
        return found

    def _installed_copies(self) -> dict[str, str]:
        """Code under test that was imported from where it is installed instead of from the tree."""
        found: dict[str, str] = {}
        for name in sorted(self._packages):
            path = getattr(sys.modules.get(name), "__file__", None)
            if isinstance(path, str) and not _lies_in(os.path.realpath(path), self._tree):
                found[name] = os.path.realpath(path)
        return found

    def _describe(self, error: BaseException) -> dict[str, Any]:
        frames = self._frames(error)
        # One failure inside a group speaks for itself; the group only says that there was one.
        inner = getattr(error, "exceptions", None)
        while isinstance(inner, tuple) and len(inner) == 1 and isinstance(inner[0], BaseException):
            error = inner[0]
            frames += self._frames(error)
            inner = getattr(error, "exceptions", None)
        if isinstance(error, SyntaxError) and error.filename:
            frames.append([self._shown(error.filename), error.lineno or 0, "<module>"])
        if len(frames) > _FRAMES:
            frames = frames[: _FRAMES // 2] + frames[-_FRAMES // 2 :]
        return {"exception": type(error).__name__, "message": _message(error), "frames": frames}

    def _frames(self, error: BaseException) -> list[list[Any]]:
        found = []
        for frame, line in traceback.walk_tb(error.__traceback__):
            path = frame.f_code.co_filename
            folders = path.replace("\\", "/").split("/")
            if "_pytest" in folders or "pluggy" in folders or path.startswith("<frozen "):
                continue
            found.append([self._shown(path), line or 0, frame.f_code.co_name])
        return found

    def _shown(self, path: str) -> str:
        if path.startswith("<"):
            return path
        full = os.path.realpath(path)
        if _lies_in(full, self._tree):
            return os.path.relpath(full, self._tree).replace(os.sep, "/")
        return full


def _lies_in(path: str, folder: str) -> bool:
    folder = os.path.normpath(folder)
    return folder == "." or path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _importable(tree: str) -> set[str]:
    """Names of packages and modules at the top of the tree or in its `src`; those of the standard library aside."""
    found = set()
    for folder in (Path(tree), Path(tree) / "src"):
        if folder.is_dir():
            found |= {place.parent.name for place in folder.glob("*/__init__.py")}
            found |= {place.stem for place in folder.glob("*.py")}
    return found - set(getattr(sys, "stdlib_module_names", sys.builtin_module_names)) - {"conftest", "setup"}


def _told_cause(error: BaseException) -> BaseException:
    """pytest wraps what went wrong while it imported a file into an error of its own."""
    cause = error.__cause__
    if type(error).__name__ != "CollectError" or cause is None:
        return error
    return error if type(cause).__name__ == "ImportPathMismatchError" else cause


def _message(error: BaseException) -> str:
    if type(error).__name__ == "FixtureLookupError":
        text = getattr(error, "msg", None) or f"fixture {getattr(error, 'argname', '')!r} not found"
    else:
        try:
            text = str(error)
        except Exception:  # noqa: BLE001 -- an exception whose text cannot be made is still a failure
            text = f"<{type(error).__name__} whose text cannot be made>"
    return text[:_MESSAGE_CHARS]


def _longrepr(report: Any) -> str:
    if isinstance(report.longrepr, str):
        return report.longrepr
    text = getattr(report, "longreprtext", "")
    return text if isinstance(text, str) and text else str(report.longrepr or "")


def _skip_reason(report: Any) -> str:
    longrepr = report.longrepr
    reason = str(longrepr[2]) if isinstance(longrepr, tuple) and len(longrepr) == 3 else ""
    return reason[len("Skipped: ") :] if reason.startswith("Skipped: ") else reason


def _tail(text: str) -> str:
    if len(text) <= _OUTPUT_CHARS:
        return text
    return f"[{len(text) - _OUTPUT_CHARS} characters left out]\n{text[-_OUTPUT_CHARS:]}"


def _ends(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"
