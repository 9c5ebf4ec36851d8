"""Runs a pytest suite in its own interpreter and hands on every test the moment it ended."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import anyio

from goldenpath_loop.errors import ProcessError
from goldenpath_loop.records.base import EvidenceId
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.results import SuiteEnd, SuiteRun, TestResult
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.suites.console import stack_frames, why_not_started
from goldenpath_loop.suites.evidence_text import evidence_text
from goldenpath_loop.suites.outcome import Cut, planned_rows, result_of
from goldenpath_loop.suites.request import SuiteRequest, exit_in_words
from goldenpath_loop.suites.stream import Frame, StreamReader, TestStory
from goldenpath_loop.system.environment import own_environment
from goldenpath_loop.system.process import Command, Completed, run

__all__ = ["run_pytest"]

_PLUGIN = Path(__file__).parent / "plugin"
_LOOK_EVERY_S = 0.05
_STACK_BYTES = 60_000
_INTERRUPTED, _INTERNAL_ERROR, _USAGE_ERROR = 2, 3, 4


async def run_pytest(request: SuiteRequest, witness: Witness, *, collect_only: bool = False) -> SuiteRun:
    """Run (or only collect) a suite; whatever happens to the run is part of what comes back."""
    stream, stacks = request.scratch / "events.jsonl", request.scratch / "events.jsonl.stacks"
    for path in (stream, stacks):
        path.unlink(missing_ok=True)
    (request.scratch / "tmp").mkdir(parents=True, exist_ok=True)
    command = Command(
        argv=_argv(request, collect_only=collect_only),
        cwd=request.tree,
        env=_environment(request, stream),
        timeout_s=request.suite.timeout_s,
        idle_timeout_s=request.suite.idle_timeout_s,
    )
    following = _Following(stream, command, witness)
    try:
        done = await _run_and_follow(command, following)
    except ProcessError as error:
        return SuiteRun(suite=request.suite.name, ended="not_started", problem=str(error))
    console = await _capture_console(request, done, witness)
    ended = _ended(done, following.reader)
    await following.settle_open(request, done, ended, _read(stacks))
    results = list(following.results.values())
    if not collect_only:
        results += planned_rows(request.tests, following.reader, following.results)
    results = [one if one.evidence else one.model_copy(update={"evidence": console}) for one in results]
    hanging = following.reader.hanging() if ended in ("hung", "timed_out") else None
    return SuiteRun(
        suite=request.suite.name,
        ended=ended,
        collected=tuple(following.reader.collected),
        results=tuple(results),
        exit_code=done.exit_code,
        duration_s=done.duration_s,
        hanging_test=hanging.id if hanging else None,
        foreign_modules=tuple(f"{name} -> {path}" for name, path in following.reader.foreign_modules.items()),
        problem=_problem(request, done, ended, following, collect_only=collect_only),
        console=console,
    )


async def _run_and_follow(command: Command, following: _Following) -> Completed:
    failure: ProcessError | None = None
    done: Completed | None = None
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(following.follow)
            try:
                done = await run(command, watched=following.path)
            except ProcessError as error:
                failure = error
            following.is_over.set()
    except ExceptionGroup as group:
        # What the engine's ear raised comes out as itself, as from any other await.
        if len(group.exceptions) == 1:
            raise group.exceptions[0] from None
        raise
    if done is None:
        raise failure or ProcessError(where=command.line)
    return done


class _Following:
    """Reads the stream while it grows and hands over each test's evidence."""

    def __init__(self, path: Path, command: Command, witness: Witness) -> None:
        self.path = path
        self.reader = StreamReader()
        self.results: dict[str, TestResult] = {}
        self.is_over = anyio.Event()
        self._command = command
        self._witness = witness
        self._offset = 0

    async def follow(self) -> None:
        while not self.is_over.is_set():
            await self._take()
            with anyio.move_on_after(_LOOK_EVERY_S):
                await self.is_over.wait()
        await self._take()

    async def settle_open(self, request: SuiteRequest, done: Completed, ended: SuiteEnd, stacks: str) -> None:
        """Judge the tests that had no end when everything stopped."""
        cut: Cut = "crash" if ended == "crashed" else "timeout" if ended in ("hung", "timed_out") else ""
        output = done.output.decode("utf-8", "replace")
        where = _frames(stack_frames(stacks or output), request.tree)
        until = done.started_at.timestamp() + done.duration_s
        for story in self.reader.open():
            result = result_of(story, cut=cut, ending=_ending(request, done, ended), where=where, until=until)
            await self._hand_over(story, result, stacks)

    async def _take(self) -> None:
        # A file of our own scratch folder, read in place: it never blocks for long.
        data = _read_from(self.path, self._offset)
        self._offset += len(data)
        for story in self.reader.feed(data):
            await self._hand_over(story, result_of(story))

    async def _hand_over(self, story: TestStory, result: TestResult, stacks: str = "") -> None:
        text = evidence_text(result, story.stages, stacks=stacks)
        evidence = await self._witness.capture(
            "test_result",
            text.encode("utf-8", "replace"),
            subject=story.id,
            obtained=Obtained(
                how=self._command.line,
                started_at=datetime.fromtimestamp(story.started_at, UTC),
                duration_s=result.duration_s,
            ),
        )
        self.results[story.id] = result.model_copy(update={"evidence": evidence})
        self._witness.progress(f"{result.outcome} {story.id} {result.duration_s:.2f} s")


def _argv(request: SuiteRequest, *, collect_only: bool) -> tuple[str, ...]:
    suite = request.suite
    chosen = request.tests if request.tests and not collect_only else (suite.path,) if suite.path else ()
    return (
        request.said(request.python),
        "-m",
        "pytest",
        "-p",
        "goldenpath_pytest",
        f"--rootdir={request.tree}",
        # Nothing is left in the tree; `-p no:cacheprovider` would refuse a target's own cache options.
        "-o",
        f"cache_dir={request.scratch / 'cache'}",
        "--continue-on-collection-errors",
        # A target's own `-x` would keep the tests after the first failure from being seen.
        "--maxfail=0",
        "--color=no",
        *(("--collect-only", "-q") if collect_only else ()),
        *(("-m", suite.markers) if suite.markers else ()),
        *chosen,
    )


def _environment(request: SuiteRequest, stream: Path) -> dict[str, str]:
    environment = own_environment(request.env)
    environment |= {
        "PYTHONPATH": request.python_path(str(_PLUGIN)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(request.scratch / "tmp"),
        "GOLDENPATH_STREAM": str(stream),
        "GOLDENPATH_TREE": str(request.tree),
        "GOLDENPATH_PACKAGES": ",".join(request.packages),
    }
    if request.foreign_root is not None:
        environment["GOLDENPATH_FOREIGN_ROOT"] = str(request.foreign_root)
    return environment


async def _capture_console(request: SuiteRequest, done: Completed, witness: Witness) -> EvidenceId | None:
    if not done.output:
        return None
    return await witness.capture(
        "command_output",
        done.output,
        subject=f"suite {request.suite.name}",
        obtained=Obtained(
            how=done.command.line,
            started_at=done.started_at,
            duration_s=done.duration_s,
            exit_code=done.exit_code,
        ),
    )


def _ended(done: Completed, reader: StreamReader) -> SuiteEnd:
    if done.ended == "idle":
        return "hung"
    if done.ended == "timed_out":
        return "timed_out"
    if not reader.is_started or reader.is_foreign_from_start:
        return "not_started"
    has_results = bool(reader.tests or reader.collect_errors)
    if reader.exit_status is None:
        # An internal error before the first test leaves nothing behind; anything else is a death.
        return "not_started" if reader.troubles and not reader.is_collected else "crashed"
    if reader.exit_status == _INTERNAL_ERROR:
        return "crashed" if has_results else "not_started"
    if reader.exit_status == _USAGE_ERROR or (reader.exit_status == _INTERRUPTED and not has_results):
        return "not_started"
    return "completed" if reader.collected or reader.collect_errors else "nothing_collected"


def _ending(request: SuiteRequest, done: Completed, ended: SuiteEnd) -> str:
    match ended:
        case "hung":
            return f"no test started or ended for {request.suite.idle_timeout_s:g} s"
        case "timed_out":
            return f"the suite's {request.suite.timeout_s:g} s were over"
        case _:
            return f"the test process died: {exit_in_words(done.exit_code)}"


def _problem(
    request: SuiteRequest, done: Completed, ended: SuiteEnd, following: _Following, *, collect_only: bool
) -> str:
    reader = following.reader
    output = done.output.decode("utf-8", "replace")
    if reader.foreign_modules:
        name, path = next(iter(reader.foreign_modules.items()))
        return f"{name} was imported from {path}, outside the tree under test"
    match ended:
        case "hung" | "timed_out" | "crashed":
            running = reader.hanging()
            at = f"while {running.id} ran" if running else "between tests"
            if not reader.is_collected:
                at = "while tests were collected" if reader.is_started else "before pytest started"
            trouble = why_not_started(reader.troubles[0]) if reader.troubles else ""
            return f"{_ending(request, done, ended)}, {at}" + (f": {trouble}" if trouble else "")
        case "not_started":
            why = why_not_started(output, python=request.python)
            return f"pytest did not start ({exit_in_words(done.exit_code)}): {why}".removesuffix(": ")
        case "nothing_collected":
            left = f", {len(reader.deselected)} were deselected" if reader.deselected else ""
            return f"pytest collected no test{left}"
        case "completed":
            return _doubt(done, following, collect_only=collect_only)


def _doubt(done: Completed, following: _Following, *, collect_only: bool) -> str:
    """What speaks against a run that looks complete."""
    reader = following.reader
    if reader.troubles:
        return f"something failed beside the tests: {reader.troubles[0].strip().splitlines()[-1]}"
    if reader.unreadable:
        return f"{reader.unreadable} lines of the event stream could not be read"
    if collect_only:
        broken = ", ".join(reader.collect_errors)
        return f"could not be collected: {broken}" if broken else ""
    if reader.exit_status == _INTERRUPTED:
        why = why_not_started(done.output.decode("utf-8", "replace"))
        return f"the run was interrupted: {why}"
    has_red = any(result.outcome == "red" for result in following.results.values())
    if done.exit_code != 0 and not has_red:
        return f"pytest ended with {exit_in_words(done.exit_code)} although no test failed"
    return ""


def _frames(stack: list[tuple[str, int, str]], tree: Path) -> list[Frame]:
    root = tree.resolve()
    frames = []
    for name, line, function in stack:
        path = Path(name)
        if {"_pytest", "pluggy"} & set(path.parts) or name.startswith("<"):
            continue
        inside = path.resolve().is_relative_to(root)
        frames.append(Frame(path.resolve().relative_to(root).as_posix() if inside else name, line, function))
    return frames


def _read_from(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read()
    except FileNotFoundError:
        return b""


def _read(path: Path) -> str:
    return _read_from(path, 0)[-_STACK_BYTES:].decode("utf-8", "replace")
