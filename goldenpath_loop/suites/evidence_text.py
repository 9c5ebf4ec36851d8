"""Writes down what one test showed, as text that people read and citations quote."""

from __future__ import annotations

from goldenpath_loop.records.results import TestResult
from goldenpath_loop.suites.stream import Stage

__all__ = ["evidence_text"]


def evidence_text(result: TestResult, stages: list[Stage], *, stacks: str = "") -> str:
    """A header, then a section for each thing that was said; the failure's message stands in it verbatim."""
    lines = [
        f"test: {result.id}",
        f"outcome: {result.outcome}",
        f"stage: {result.stage}",
        f"duration_s: {result.duration_s:.3f}",
    ]
    if result.not_run:
        lines.append(f"not run: {result.not_run}")
    if result.reason:
        lines.append(f"reason: {result.reason}")
    if failure := result.failure:
        lines.append(f"exception: {failure.exception}")
        lines.append(f"place: {failure.path}:{failure.line} in {failure.function}")
    sections = ["\n".join(lines) + "\n"]
    if failure:
        sections.append(_section("message", _whole_message(result, stages)))
        sections.append(_section("frames", "\n".join(failure.frames)))
    told = [stage for stage in stages if stage.longrepr]
    sections.extend(_section(f"failure in {stage.name}", stage.longrepr) for stage in told)
    if last := next((stage for stage in reversed(stages) if stage.stdout or stage.stderr or stage.log), None):
        sections.append(_section("captured stdout", last.stdout))
        sections.append(_section("captured stderr", last.stderr))
        sections.append(_section("captured log", last.log))
    sections.append(_section("stacks when it was ended", stacks))
    return "\n".join(section for section in sections if section)


def _whole_message(result: TestResult, stages: list[Stage]) -> str:
    message = result.failure.message if result.failure else ""
    told = next((stage.error.message for stage in stages if stage.error), "")
    # The failure's message is the beginning of what the exception said; the rest helps who reads on.
    return told if message in told else message


def _section(title: str, text: str) -> str:
    return f"--- {title} ---\n{text.rstrip()}\n" if text.strip() else ""
