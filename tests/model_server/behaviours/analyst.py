"""Why tests fail, by general rules: the test's words, the exception behind them, the line that raised it."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from tests.model_server.behaviours.places import Place, located, reached
from tests.model_server.behaviours.traces import Frame, RedTest, Trace, fits, red_test, tracebacks
from tests.model_server.conversation import Conversation, Listed
from tests.model_server.plan import Ask, Plan
from tests.model_server.reading import SourceFile, find_in_source, known_evidence, read_evidence, read_sources

__all__ = ["analyse", "citation", "failing_first"]

_MOST_TESTS, _MOST_LOGS = 4, 6


def citation(evidence: str, quote: str) -> dict[str, Any]:
    """A citation whose place is left for others to find."""
    return {"evidence": evidence, "quote": quote, "start": -1, "end": -1}


def failing_first(listed: list[Listed], brief: str) -> list[Listed]:
    """Evidence in the order in which it is worth reading: results of tests that the brief names, then logs."""
    head = brief.partition("## Evidence")[0]
    results = [one for one in listed if one.kind == "test_result"]
    results.sort(key=lambda one: one.subject not in head)
    logs = [one for one in listed if one.kind in ("service_log", "command_output")]
    logs.sort(key=lambda one: one.kind != "service_log")
    return [*results[:_MOST_TESTS], *logs[:_MOST_LOGS]]


def analyse(conversation: Conversation) -> Plan:
    """A why-chain, hypotheses, or what is missing for either."""
    listed = yield from known_evidence(conversation)
    chosen = failing_first(listed, conversation.brief)
    texts = yield from read_evidence(chosen, conversation)
    kinds = {one.id: one.kind for one in chosen}
    tests = [
        test for id_, text in texts.items() if kinds[id_] == "test_result" and (test := red_test(id_, text))
    ]
    if not tests:
        return {
            "not_enough_evidence": "no result of a red test is there; a run of the failing tests would be one"
        }
    traces = [trace for id_, text in texts.items() for trace in tracebacks(id_, text) if trace.own]
    pairs = [
        (fits(trace, test), number, test, trace) for test in tests for number, trace in enumerate(traces)
    ]
    pairs = sorted((pair for pair in pairs if pair[0]), key=lambda pair: (-pair[0], -pair[1]))
    if pairs:
        _, _, test, trace = pairs[0]
        chain = yield from _chain(test, trace)
    else:
        test = next((one for one in tests if one.own), tests[0])
        chain = yield from _own_stack(test)
    chain = _allowed(chain, conversation.refusals)
    if chain:
        return {"findings": [_why_chain(test, chain)]}
    if len(conversation.refusals) > 1:
        return {"not_enough_evidence": "what the evidence seemed to show was refused twice"}
    return (yield from _hypotheses(tests))


def _chain(test: RedTest, trace: Trace) -> Generator[Ask, list[str], list[dict[str, Any]]]:
    """Links from the symptom to the exception, to the line that raised it, to what that line lacks."""
    effect = f"{test.id} fails: {test.symptom}"[:300]
    raised = f"{trace.error} is raised"
    links = []
    if trace.evidence != test.evidence:
        looked = f"a traceback that fits {test.exception or 'the symptom'} better than {trace.name}"
        cites = (citation(test.evidence, test.symptom), citation(trace.evidence, trace.error))
        links.append(_link(effect, raised, *cites, looked))
        effect, shown = raised, citation(trace.evidence, trace.error)
    else:
        shown = citation(test.evidence, test.symptom)
    frame = trace.own[-1]
    paths = yield from located(trace.own)
    files = yield from read_sources([paths[frame]])
    line = _line_of(frame, files.get(paths[frame]))
    if line is None:
        return links
    cause = f"{paths[frame]}:{frame.line} in {frame.function} does `{line[1]}`"
    links.append(
        _link(effect, cause, shown, line[0], f"another line in {frame.function} that raises {trace.name}")
    )
    lacking = yield from _lacking(trace, line[1], files)
    if lacking is not None:
        looked = f"an entry {trace.message} in that table"
        links.append(_link(cause, lacking[1], line[0], lacking[0], looked))
    return links


def _line_of(frame: Frame, file: SourceFile | None) -> tuple[dict[str, Any], str] | None:
    """Citation and text of the source line of a frame."""
    if file is None:
        return None
    code = frame.code or (file.lines[frame.line - 1].strip() if frame.line <= len(file.lines) else "")
    evidence = file.evidence_for(code) if len(code) > 3 else ""
    return (citation(evidence, code), code) if evidence else None


def _lacking(
    trace: Trace, code: str, files: dict[str, SourceFile]
) -> Generator[Ask, list[str], tuple[dict[str, Any], str] | None]:
    """The head of the table that a KeyError was about."""
    if trace.name != "KeyError":
        return None
    tables = [name for name in re.findall(r"(\w+)\s*\[", code) if name.isupper() or name[0] == "_"]
    wanted = [text for name in tables for text in (f"{name} = {{", f"{name}: ")]
    hits = yield from find_in_source(wanted)
    hit = next((one for text in wanted for one in hits.get(text, ()) if "=" in one.text), None)
    if hit is None:
        return None
    missing = [] if hit.path in files else [hit.path]
    more = files | (yield from read_sources(missing))
    quote = hit.text.strip()
    evidence = more[hit.path].evidence_for(quote) if hit.path in more else ""
    if not evidence:
        return None
    return citation(evidence, quote), f"{hit.path}:{hit.line} has no entry {trace.message}"


def _own_stack(test: RedTest) -> Generator[Ask, list[str], list[dict[str, Any]]]:
    """One link, for a test that ran the project's code itself and shows its frames."""
    if not test.own:
        return []
    frame = test.own[-1]
    files = yield from read_sources([frame.path])
    line = _line_of(frame, files.get(frame.path))
    if line is None:
        return []
    cause = f"{frame.path}:{frame.line} in {frame.function} does `{line[1]}`"
    effect = f"{test.id} fails: {test.symptom}"[:300]
    looked = f"a later frame than {frame.path}:{frame.line}"
    return [_link(effect, cause, citation(test.evidence, test.symptom), line[0], looked)]


def _link(
    effect: str, cause: str, effect_cited: dict[str, Any], cause_cited: dict[str, Any], looked_for: str
) -> dict[str, Any]:
    return {
        "kind": "call_path",
        "effect": effect,
        "cause": cause,
        "effect_citation": effect_cited,
        "cause_citation": cause_cited,
        "refuter": {"looked_for": looked_for, "found": False, "citation": None},
        "measured_by": [],
    }


def _allowed(chain: list[dict[str, Any]], refusals: list[list[str]]) -> list[dict[str, Any]]:
    """The links above the first that was refused."""
    for reason in (reason for reasons in refusals for reason in reasons):
        number = re.search(r"\blink (\d+)", reason)
        quoted = [
            index
            for index, link in enumerate(chain)
            if any(link[side]["quote"][:60] in reason for side in ("effect_citation", "cause_citation"))
        ]
        cut = int(number[1]) - 1 if number else min(quoted, default=0)
        chain = chain[:cut]
    return chain


def _why_chain(test: RedTest, chain: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "kind": "why_chain",
        "title": chain[-1]["cause"][:120],
        "statement": f"{test.id} is red because {chain[-1]['cause']}",
        "citations": [],
        "chain": chain,
        "hypotheses": [],
        "action": None,
    }


def _hypotheses(tests: list[RedTest]) -> Plan:
    """Code that the tests reach, which may or may not be at fault."""
    test = tests[0]
    places: list[Place] = yield from reached(tests)
    if not places:
        missing = "no traceback, no log line and no code could be found that belongs to the failing tests; "
        return {"not_enough_evidence": missing + "the service's log of the failing run would show more"}
    guesses = [
        f"{one.path}:{one.line} {one.function}".rstrip() + " gives the wrong answer" for one in places[:5]
    ]
    finding = {
        "kind": "observation",
        "title": f"Red without a traceback: {test.symptom}"[:120],
        "statement": f"{test.id} says {test.symptom}, and no log that was read shows an exception for it",
        "citations": [citation(test.evidence, test.symptom)],
        "chain": [],
        "hypotheses": guesses,
        "action": None,
    }
    return {"findings": [finding]}
