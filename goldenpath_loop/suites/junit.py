"""Reads a JUnit XML report, whoever wrote it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

from goldenpath_loop.records.results import Failure, TestResult
from goldenpath_loop.science.signature import signature_of
from goldenpath_loop.suites.outcome import first_lines, passed_after
from goldenpath_loop.suites.stream import ErrorTold, Stage

__all__ = ["JunitCase", "JunitReport", "read_junit"]

_XML_CHARS = 50_000_000


@dataclass(frozen=True, slots=True)
class JunitCase:
    """One test case: the verdict, and what the report says about it."""

    result: TestResult
    stage: Stage


@dataclass(frozen=True, slots=True)
class JunitReport:
    """All test cases of a report, or why it cannot be read."""

    cases: tuple[JunitCase, ...] = ()
    problem: str = ""


def read_junit(text: str | bytes) -> JunitReport:
    """Read a report; what cannot be read is a problem, never a pass."""
    if len(text) > _XML_CHARS:
        return JunitReport(problem=f"the report is larger than {_XML_CHARS} bytes")
    doctype = b"<!DOCTYPE" if isinstance(text, bytes) else "<!DOCTYPE"
    if doctype in text:  # type: ignore[operator] # both are bytes or both are text
        return JunitReport(problem="the report declares a document type, which no JUnit report needs")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        return JunitReport(problem=f"the report is not XML: {error}")
    if _name(root) not in ("testsuites", "testsuite"):
        return JunitReport(problem=f"the report's root is <{_name(root)}>, not <testsuites>")
    cases: list[JunitCase] = []
    names: dict[str, int] = {}
    for element in root.iter():
        if _name(element) == "testcase":
            cases.append(_case(element, names))
    stray = [
        one for suite in root.iter() if _name(suite) == "testsuite" for one in suite if _name(one) == "error"
    ]
    if stray:
        told = first_lines(stray[0].get("message", "") or stray[0].text or "")
        return JunitReport(tuple(cases), f"a suite as a whole failed: {told}")
    return JunitReport(tuple(cases))


def _case(element: ElementTree.Element, names: dict[str, int]) -> JunitCase:
    identity = _identity(element, names)
    duration_s = _seconds(element.get("time", ""))
    stdout, stderr = _text(element, "system-out"), _text(element, "system-err")
    children = {_name(child): child for child in element}
    broken = children.get("failure", children.get("error"))
    if broken is not None:
        body = broken.text or ""
        message = broken.get("message", "") or body
        kind = broken.get("type", "").rsplit(".", 1)[-1] or ("Failure" if "failure" in children else "Error")
        failure = Failure(
            exception=kind,
            message=first_lines(message) or kind,
            path=element.get("file", ""),
            line=_line(element.get("line", "")),
            function=element.get("name", ""),
        )
        stage = Stage(
            "call",
            "failed",
            duration_s,
            error=ErrorTold(kind, message),
            longrepr=body,
            stdout=stdout,
            stderr=stderr,
        )
        return JunitCase(
            TestResult(
                id=identity,
                outcome="red",
                duration_s=duration_s,
                failure=failure,
                signature=signature_of(failure),
            ),
            stage,
        )
    if (skipped := children.get("skipped")) is not None:
        reason = skipped.get("message", "") or (skipped.text or "").strip()
        not_run: Literal["skipped", "xfailed"] = (
            "xfailed" if skipped.get("type", "") == "pytest.xfail" else "skipped"
        )
        stage = Stage("call", "skipped", duration_s, stdout=stdout, stderr=stderr, reason=reason)
        return JunitCase(
            TestResult(
                id=identity, outcome="unresolved", duration_s=duration_s, not_run=not_run, reason=reason
            ),
            stage,
        )
    if element.get("status", "").lower() in ("disabled", "skipped", "notrun"):
        stage = Stage("call", "skipped", duration_s, stdout=stdout, stderr=stderr)
        reason = f"the report says: {element.get('status')}"
        return JunitCase(
            TestResult(
                id=identity, outcome="unresolved", duration_s=duration_s, not_run="skipped", reason=reason
            ),
            stage,
        )
    reruns = sum(
        _name(child) in ("flakyFailure", "flakyError", "rerunFailure", "rerunError") for child in element
    )
    reason = passed_after(reruns)
    stage = Stage("call", "passed", duration_s, stdout=stdout, stderr=stderr)
    return JunitCase(TestResult(id=identity, outcome="green", duration_s=duration_s, reason=reason), stage)


def _identity(element: ElementTree.Element, names: dict[str, int]) -> str:
    group, name = element.get("classname", ""), element.get("name", "")
    identity = "::".join(part for part in (group, name) if part) or "unnamed"
    # Reports may name two cases alike; neither may hide the other.
    names[identity] = names.get(identity, 0) + 1
    return identity if names[identity] == 1 else f"{identity} #{names[identity]}"


def _name(element: ElementTree.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _text(element: ElementTree.Element, name: str) -> str:
    return "\n".join(child.text or "" for child in element if _name(child) == name)


def _seconds(text: str) -> float:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return 0.0
    return value if math.isfinite(value) and value > 0 else 0.0


def _line(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
