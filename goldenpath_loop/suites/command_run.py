"""Runs a suite that is any command: judged by its JUnit report, or by its exit code alone."""

from __future__ import annotations

from pathlib import Path

from goldenpath_loop.errors import ProcessError
from goldenpath_loop.records.base import EvidenceId
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.results import Failure, SuiteEnd, SuiteRun, TestResult
from goldenpath_loop.science.signature import signature_of
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.suites.console import exception_in, last_lines
from goldenpath_loop.suites.evidence_text import evidence_text
from goldenpath_loop.suites.junit import JunitReport, read_junit
from goldenpath_loop.suites.outcome import CRASHED, CUT_OFF
from goldenpath_loop.suites.request import SuiteRequest, exit_in_words
from goldenpath_loop.system.environment import own_environment
from goldenpath_loop.system.process import Command, Completed, run

__all__ = ["run_command"]

_CANNOT_TELL = 125
"""Exit code by which a command says that it could not test anything, as for `git bisect run`."""
_SHELL_SIGNALS = range(129, 193)
"""A shell reports that a signal killed its child as 128 and the signal's number."""
_OUTPUT_CHARS = 60_000


async def run_command(request: SuiteRequest, witness: Witness) -> SuiteRun:
    """Run the suite's command in its tree; whatever happens to it is part of what comes back."""
    suite = request.suite
    (request.scratch / "tmp").mkdir(parents=True, exist_ok=True)
    command = Command(
        argv=tuple(map(request.said, suite.command)),
        cwd=request.tree,
        env=own_environment(
            {
                **request.env,
                "PYTHONPATH": request.python_path(),
                "TMPDIR": str(request.scratch / "tmp"),
            }
        ),
        timeout_s=suite.timeout_s,
        idle_timeout_s=suite.idle_timeout_s,
    )
    report = request.tree / suite.junit if suite.junit else None
    before = _stamp(report)
    try:
        done = await run(command)
    except ProcessError as error:
        return SuiteRun(suite=suite.name, ended="not_started", problem=str(error))
    obtained = Obtained(
        how=command.line, started_at=done.started_at, duration_s=done.duration_s, exit_code=done.exit_code
    )
    console: EvidenceId | None = None
    if done.output:
        console = await witness.capture(
            "command_output", done.output, subject=f"suite {suite.name}", obtained=obtained
        )
    if report is None:
        return await _by_exit_code(request, done, witness, obtained, console)
    if _stamp(report) == before:
        read = JunitReport(problem=f"{suite.junit} was not written by this run")
    else:
        read = read_junit(report.read_bytes())
    results = []
    for case in read.cases:
        text = evidence_text(case.result, [case.stage])
        evidence = await witness.capture(
            "test_result", text.encode("utf-8", "replace"), subject=case.result.id, obtained=obtained
        )
        results.append(case.result.model_copy(update={"evidence": evidence}))
        witness.progress(f"{case.result.outcome} {case.result.id} {case.result.duration_s:.2f} s")
    seen = {result.id for result in results}
    collected = tuple(result.id for result in results)
    ended, problem = _judged(request, done, read)
    for name in request.tests:
        if name not in seen:
            results.append(
                TestResult(
                    id=name,
                    outcome="unresolved",
                    stage="none",
                    not_run="missing" if ended == "completed" else "never_started",
                    reason="the report does not name it",
                    evidence=console,
                )
            )
    return SuiteRun(
        suite=suite.name,
        ended=ended,
        collected=collected,
        results=tuple(results),
        exit_code=done.exit_code,
        duration_s=done.duration_s,
        problem=problem,
        console=console,
    )


def _judged(request: SuiteRequest, done: Completed, read: JunitReport) -> tuple[SuiteEnd, str]:
    how = exit_in_words(done.exit_code)
    if done.ended == "idle":
        return "hung", _cut_words(request, done)
    if done.ended == "timed_out":
        return "timed_out", _cut_words(request, done)
    if read.problem:
        ended: SuiteEnd = "completed" if read.cases else "crashed" if done.exit_code == 0 else "not_started"
        if _is_killed(done.exit_code):
            ended = "crashed"
        said = last_lines(done.output.decode("utf-8", "replace"), 1)
        return ended, f"{read.problem} ({how})" + (f": {said}" if said else "")
    if not read.cases:
        return "nothing_collected", f"the report names no test ({how})"
    if done.exit_code is None or done.exit_code < 0:
        return "crashed", f"the command died: {how}"
    # Above 128 may also be a count of failures: a report that was written speaks for itself.
    has_red = any(case.result.outcome == "red" for case in read.cases)
    if done.exit_code != 0 and not has_red:
        return "completed", f"the command ended with {how} although its report names no failure"
    return "completed", ""


async def _by_exit_code(
    request: SuiteRequest,
    done: Completed,
    witness: Witness,
    obtained: Obtained,
    console: EvidenceId | None,
) -> SuiteRun:
    suite = request.suite
    output = done.output.decode("utf-8", "replace")
    how = exit_in_words(done.exit_code)
    ended: SuiteEnd = "completed"
    problem = ""
    result = TestResult(id=suite.name, outcome="green", duration_s=done.duration_s)
    if done.ended != "exited":
        ended = "hung" if done.ended == "idle" else "timed_out"
        problem = _cut_words(request, done)
        failure = Failure(exception=CUT_OFF, message=problem)
        result = _with(result, "timeout", failure)
    elif _is_killed(done.exit_code):
        ended, problem = "crashed", f"the command died: {how}"
        failure = Failure(exception=CRASHED, message=problem)
        result = _with(result, "unresolved", failure)
    elif done.exit_code == _CANNOT_TELL:
        result = result.model_copy(
            update={"outcome": "unresolved", "not_run": "skipped", "reason": f"the command said so: {how}"}
        )
    elif done.exit_code != 0 and suite.fails_with not in output:
        reason = f"another failure ({how}): the output does not have {suite.fails_with!r}"
        result = result.model_copy(update={"outcome": "unresolved", "not_run": "skipped", "reason": reason})
    elif done.exit_code != 0:
        exception = exception_in(output)
        name = f"ExitCode{done.exit_code}" + (f" {exception}" if exception else "")
        failure = Failure(exception=name, message=last_lines(output) or how)
        result = _with(result, "red", failure)
    text = evidence_text(result, [])
    evidence = await witness.capture(
        "test_result",
        f"{text}\n--- output ---\n{output[-_OUTPUT_CHARS:]}".encode(),
        subject=suite.name,
        obtained=obtained,
    )
    result = result.model_copy(update={"evidence": evidence})
    witness.progress(f"{result.outcome} {result.id} {result.duration_s:.2f} s")
    return SuiteRun(
        suite=suite.name,
        ended=ended,
        collected=(suite.name,),
        results=(result,),
        exit_code=done.exit_code,
        duration_s=done.duration_s,
        hanging_test=suite.name if ended in ("hung", "timed_out") else None,
        problem=problem,
        console=console,
    )


def _with(result: TestResult, outcome: str, failure: Failure) -> TestResult:
    return TestResult.model_validate(
        {**result.model_dump(), "outcome": outcome, "failure": failure, "signature": signature_of(failure)}
    )


def _cut_words(request: SuiteRequest, done: Completed) -> str:
    if done.ended == "idle":
        return f"the command printed nothing for {request.suite.idle_timeout_s:g} s"
    return f"the suite's {request.suite.timeout_s:g} s were over"


def _is_killed(exit_code: int | None) -> bool:
    return exit_code is None or exit_code < 0 or exit_code in _SHELL_SIGNALS


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    try:
        found = path.stat() if path is not None else None
    except OSError:
        found = None
    return (found.st_ino, found.st_mtime_ns, found.st_size) if found is not None else None
