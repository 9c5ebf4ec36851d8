"""Judges a test by what it showed: green only when it ran and passed in every stage."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Literal

from goldenpath_loop.records.results import Failure, TestResult
from goldenpath_loop.science.signature import signature_of
from goldenpath_loop.suites.stream import ErrorTold, Frame, Stage, StreamReader, TestStory

__all__ = ["CRASHED", "CUT_OFF", "Cut", "first_lines", "passed_after", "planned_rows", "result_of"]

Cut = Literal["", "timeout", "crash"]
"""How a test that never ended was stopped: the run was ended for its time, or its process died by itself."""

CRASHED = "ProcessCrash"
CUT_OFF = "Timeout"

_STAGES = ("setup", "call", "teardown")
_MESSAGE_LINES = 4
_MESSAGE_CHARS = 1000
_FOREIGN = re.compile(r"(?:^|/)(?:site-packages|dist-packages|node_modules|\.venv|\.tox|\.nox)(?:/|$)")


def result_of(
    story: TestStory, *, cut: Cut = "", ending: str = "", where: Sequence[Frame] = (), until: float = 0.0
) -> TestResult:
    """The verdict on one test.

    Args:
        story: What the stream says about it.
        cut: How the run was stopped, for a test that never ended.
        ending: What stopped it, in words: the message of such a test.
        where: Stack at that moment, outermost first, when it is known.
        until: When it was stopped, in seconds since the epoch.
    """
    stages = story.stages
    duration_s = sum(stage.duration_s for stage in stages if not stage.is_subtest)
    if failed := next((stage for stage in stages if stage.outcome == "failed"), None):
        return _red(story, failed, duration_s)
    if not story.is_ended and cut:
        return _stopped(story, cut, ending, where, until)
    last = story.attempts[-1].stages
    if skipped := next(
        (stage for stage in last if stage.outcome == "skipped" and not stage.is_subtest), None
    ):
        is_xfail = skipped.wasxfail is not None
        return TestResult(
            id=story.id,
            outcome="unresolved",
            stage=_stage_name(skipped),
            duration_s=duration_s,
            not_run="xfailed" if is_xfail else "skipped",
            reason=(skipped.wasxfail or "") if is_xfail else skipped.reason,
        )
    if not all(story.attempts[-1].has_passed(name) for name in _STAGES):
        return TestResult(
            id=story.id,
            outcome="unresolved",
            stage=_stage_name(last[-1]) if last else "none",
            duration_s=duration_s,
            not_run="never_started",
            reason="pytest reported no outcome for it",
        )
    unexpected = next((stage for stage in last if stage.wasxfail is not None), None)
    if unexpected is not None:
        return TestResult(
            id=story.id,
            outcome="unresolved",
            duration_s=duration_s,
            not_run="xfailed",
            reason=f"passed although it is marked to fail: {unexpected.wasxfail}".removesuffix(": "),
        )
    reruns = sum(stage.outcome == "rerun" for stage in stages)
    return TestResult(
        id=story.id,
        outcome="green",
        duration_s=duration_s,
        reason=passed_after(reruns),
    )


def planned_rows(planned: Iterable[str], stream: StreamReader, seen: Collection[str]) -> list[TestResult]:
    """A row for every test that was meant to run and is not among `seen`, with the reason why it did not."""
    rows = []
    for name in dict.fromkeys([*planned, *stream.collected]):
        if name in seen:
            continue
        not_run: Literal["deselected", "never_started", "not_collected", "missing"]
        reason = ""
        if name in stream.deselected:
            not_run = "deselected"
        elif name in stream.collected or not stream.is_collected:
            not_run = "never_started"
        elif error := next((one for one in stream.collect_errors if _holds(one, name)), None):
            not_run, reason = "not_collected", f"{error} could not be collected"
        else:
            not_run, reason = "missing", "no such test was collected"
        rows.append(TestResult(id=name, outcome="unresolved", stage="none", not_run=not_run, reason=reason))
    return rows


def passed_after(failed: int) -> str:
    """What is said of a pass that took more than one attempt; empty when it took one."""
    if not failed:
        return ""
    return f"passed after {failed} failed attempt{'s' if failed > 1 else ''} of the same run"


def first_lines(text: str) -> str:
    """The beginning of a message, up to its first empty line, exactly as it stands there."""
    # Only "\n" ends a line here: the message must be found in the evidence byte by byte.
    kept = []
    for line in text.strip().split("\n")[:_MESSAGE_LINES]:
        if not line.strip():
            break
        kept.append(line)
    return "\n".join(kept)[:_MESSAGE_CHARS].rstrip()


def _red(story: TestStory, stage: Stage, duration_s: float) -> TestResult:
    failure = _failure(story, stage.error or _told_by_text(stage))
    name = _stage_name(stage)
    return TestResult(
        id=story.id,
        outcome="red",
        stage="call" if name == "none" else name,  # a worker that died does not say how far it came
        duration_s=duration_s,
        failure=failure,
        signature=signature_of(failure),
    )


def _stopped(story: TestStory, cut: Cut, ending: str, where: Sequence[Frame], until: float) -> TestResult:
    done = [stage.name for stage in story.attempts[-1].stages if not stage.is_subtest]
    stage = next((name for name in _STAGES if name not in done), "teardown")
    exception = CUT_OFF if cut == "timeout" else CRASHED
    failure = _failure(story, ErrorTold(exception, ending, tuple(where)))
    return TestResult(
        id=story.id,
        outcome="timeout" if cut == "timeout" else "red",
        stage=_stage_name(Stage(stage, "")),
        duration_s=max(0.0, max(story.last_at, until) - story.started_at),
        failure=failure,
        signature=signature_of(failure),
    )


def _told_by_text(stage: Stage) -> ErrorTold:
    """Some failures are no exception: a strict xfail that passed, a worker that died, old plugins."""
    if stage.longrepr.startswith("[XPASS(strict)]"):
        return ErrorTold("UnexpectedPass", stage.longrepr)
    if "crashed while running" in stage.longrepr:
        return ErrorTold(CRASHED, stage.longrepr)
    raised = [line[4:] for line in stage.longrepr.splitlines() if line.startswith("E   ")]
    head, _, told = (raised[0] if raised else "").partition(": ")
    if told and re.fullmatch(r"[A-Za-z_][\w.]*", head):
        return ErrorTold(head.rsplit(".", 1)[-1], told)
    return ErrorTold("Failed", first_lines(stage.longrepr))


def _failure(story: TestStory, told: ErrorTold) -> Failure:
    place = next((frame for frame in reversed(told.frames) if _is_in_tree(frame.path)), None)
    if place is None:
        path, _, function = story.id.partition("::")
        place = Frame(path, story.line, function.split("[", 1)[0].rsplit("::", 1)[-1])
    return Failure(
        exception=told.exception or "Failed",
        message=first_lines(told.message) or told.exception or "Failed",
        path=place.path,
        line=place.line,
        function=place.function,
        frames=tuple(f"{frame.path}:{frame.line}:{frame.function}" for frame in told.frames),
    )


def _is_in_tree(path: str) -> bool:
    is_absolute = path.startswith(("/", "<")) or path[1:3] in (":\\", ":/")
    return bool(path) and not is_absolute and not _FOREIGN.search(path)


def _holds(collector: str, name: str) -> bool:
    return collector == "." or name.startswith((f"{collector}::", f"{collector}/"))


def _stage_name(stage: Stage) -> Literal["collect", "setup", "call", "teardown", "none"]:
    match stage.name:
        case "collect" | "setup" | "call" | "teardown" as name:
            return name
        case _:
            return "none"
