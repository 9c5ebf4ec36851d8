"""The smallest change that removes a cause: candidates from templates, tried one by one until one is green."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.model_server.behaviours.analyst import citation, failing_first
from tests.model_server.behaviours.places import (
    Place,
    called_in,
    located,
    logged,
    named_in,
    reached,
    where_defined,
)
from tests.model_server.behaviours.templates import Candidate, candidates
from tests.model_server.behaviours.text_edits import edits_between, unified_diff
from tests.model_server.behaviours.traces import RedTest, Trace, fits, red_test, tracebacks
from tests.model_server.conversation import Conversation, Envelope, envelopes_in
from tests.model_server.plan import Ask, Plan
from tests.model_server.reading import SourceFile, find_in_source, known_evidence, read_evidence, read_sources
from tests.model_server.schema import properties_of

__all__ = ["repair", "verdict_of"]

_RINGS, _FILES = 3, 8


@dataclass
class _Known:
    """What was read before anything is tried."""

    trace: Trace | None = None
    tests: list[RedTest] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    files: dict[str, SourceFile] = field(default_factory=dict)


def verdict_of(said: str) -> str:
    """First word of what `try_patch` answered: `green`, `red` or `refused`."""
    shown: list[Envelope] = envelopes_in(said)
    lines = (shown[0].text if shown else said).strip().splitlines()
    return re.split(r"[\s:,.]", lines[0].strip().lower())[0] if lines else ""


def repair(conversation: Conversation, *, per_turn: int = 1) -> Plan:
    """A patch that was green when tried, or that nothing was."""
    known = yield from _read(conversation)
    allowed = _allowed_paths(conversation.brief)
    if not any(_is_allowed(one.path, allowed) for one in known.places):
        allowed = ()
    error = known.trace.error if known.trace else _none_of(known.tests)
    to_skip = len(conversation.refusals)
    seen: set[tuple[str, str]] = set()
    tried = 0
    for ring in range(_RINGS):
        yield from _more_files(known, allowed)
        fresh = [one for one in _candidates(known, allowed, error) if (one.path, one.text) not in seen]
        fresh = [one for one in fresh if not _was_tried(one, known, conversation.brief)]
        seen |= {(one.path, one.text) for one in fresh}
        if fresh and "try_patch" not in conversation.tools and to_skip < len(fresh):
            return _patch(fresh[to_skip], known, conversation)
        for start in range(0, len(fresh), per_turn):
            group = fresh[start : start + per_turn]
            answers = yield [("try_patch", _arguments(one, known, conversation)) for one in group]
            for candidate, said in zip(group, answers, strict=True):
                tried += 1
                if verdict_of(said) == "green" and (to_skip := to_skip - 1) < 0:
                    return _patch(candidate, known, conversation)
        if ring + 1 < _RINGS:
            yield from _next_ring(known, ring)
    return {
        "not_enough_evidence": f"{tried} small changes were tried at {len(known.places)} places and none was green; "
        "lines that only the failing tests run would narrow the search"
    }


def _read(conversation: Conversation) -> Generator[Ask, list[str], _Known]:
    """Reads the evidence and lists the places that it names, the surest first."""
    listed = yield from known_evidence(conversation)
    chosen = failing_first(listed, conversation.brief)
    chosen += [one for one in listed if one.kind == "diff"][:2]
    texts = yield from read_evidence(chosen, conversation)
    kinds = {one.id: one.kind for one in chosen}
    known = _Known()
    known.tests = [
        x for id_, text in texts.items() if kinds[id_] == "test_result" and (x := red_test(id_, text))
    ]
    known.logs = [text for id_, text in texts.items() if kinds[id_] == "service_log"]
    traces = [trace for id_, text in texts.items() for trace in tracebacks(id_, text) if trace.own]
    named = conversation.brief.partition("## Evidence")[0]
    traces.sort(key=lambda one: (one.error in named, max((fits(one, x) for x in known.tests), default=0)))
    known.trace = traces[-1] if traces else None
    if known.trace is not None:
        own = known.trace.own
        paths = yield from located(own)
        known.places += [Place(paths[one], one.line, one.function) for one in reversed(own)]
        known.places += yield from _tables_of(known.trace)
    known.places += [
        Place(one.path, one.line, one.function) for test in known.tests for one in reversed(test.own)
    ]
    known.places += named_in(named)
    known.places += [one for id_, text in texts.items() if kinds[id_] == "diff" for one in named_in(text)]
    return known


def _none_of(tests: list[RedTest]) -> str:
    """What a test says that met None where a value should be; it speaks for a missing return."""
    return next((test.symptom for test in tests if "NoneType" in test.symptom), "")


def _tables_of(trace: Trace) -> Generator[Ask, list[str], list[Place]]:
    """Where the tables stand that the raising line looks into."""
    if not trace.error.startswith("KeyError"):
        return []
    names = re.findall(r"(\w+)\s*\[", trace.own[-1].code)
    wanted = [text for name in names for text in (f"{name} = {{", f"{name}: ")]
    hits = yield from find_in_source(wanted)
    return [Place(hit.path, hit.line) for found in hits.values() for hit in found if "=" in hit.text]


def _next_ring(known: _Known, ring: int) -> Generator[Ask, list[str], None]:
    """More places: first what logs and tests lead to, then what the places known so far call."""
    if ring == 0:
        places = yield from logged(known.logs)
        places += yield from reached(known.tests)
    else:
        places = yield from where_defined(called_in(known.files, known.places))
    known.places = list(dict.fromkeys([*known.places, *places]))


def _more_files(known: _Known, allowed: tuple[str, ...]) -> Generator[Ask, list[str], None]:
    known.places = list(dict.fromkeys(known.places))
    paths = [
        one.path for one in known.places if one.path not in known.files and _is_allowed(one.path, allowed)
    ]
    known.files |= yield from read_sources(list(dict.fromkeys(paths))[:_FILES])


def _candidates(known: _Known, allowed: tuple[str, ...], error: str) -> list[Candidate]:
    """Every change worth a try, what the exception speaks for first, else place by place."""
    found = [
        (one.rank >= 2, number, one)
        for number, place in enumerate(known.places)
        if place.path in known.files and _is_allowed(place.path, allowed)
        for one in candidates(place.path, known.files[place.path].text, place, error)
    ]
    found.sort(key=lambda row: row[0])
    unique = {(one.path, one.text): one for _, _, one in reversed(found)}
    return list(reversed(unique.values()))


def _allowed_paths(brief: str) -> tuple[str, ...]:
    """Path prefixes that the brief allows; none when it names none."""
    section = brief.partition("## Allowed paths")[2].partition("\n## ")[0]
    words = [word.strip("`'\",;[]()") for word in section.replace("<<<", "").replace(">>>", "").split()]
    prefixes = [
        word for word in words if "/" in word or word.endswith(".py") or re.fullmatch(r"[\w-]+", word)
    ]
    return tuple(prefixes)


def _is_allowed(path: str, allowed: Iterable[str]) -> bool:
    prefixes = tuple(allowed)
    return not prefixes or path.startswith(prefixes)


def _was_tried(one: Candidate, known: _Known, brief: str) -> bool:
    """Whether the brief shows this very change among those tried before."""
    section = brief.partition("## Tried before")[2].partition("\n## ")[0]
    diff = unified_diff(one.path, known.files[one.path].text, one.text)
    changed = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return all(line in section for line in changed)


def _arguments(one: Candidate, known: _Known, conversation: Conversation) -> dict[str, Any]:
    """The change in the shape that the tool takes and, where there is a choice, the answer too."""
    takes = conversation.tools.get("try_patch", {}).get("properties", {})
    answers = properties_of(conversation.schema or {})
    old = known.files[one.path].text
    if "edits" in takes and ("edits" in answers or "diff" not in takes):
        return {"edits": edits_between(one.path, old, one.text)}
    return {"diff": unified_diff(one.path, old, one.text)}


def _patch(one: Candidate, known: _Known, conversation: Conversation) -> dict[str, Any]:
    """The answer for a candidate."""
    answers = properties_of(conversation.schema or {})
    file = known.files[one.path]
    changed = [
        line
        for line in edits_between(one.path, file.text, one.text)[0]["search"].splitlines()
        if line.strip()
    ]
    cited = [citation(file.evidence_for(line), line) for line in changed if len(line.strip()) > 3]
    cited = [row for row in cited if row["evidence"]][:1]
    if known.trace is not None:
        cited.append(citation(known.trace.evidence, known.trace.error))
    patch: dict[str, Any] = {
        "intended": [one.path],
        "rationale": f"In {one.path}, {one.why}.",
        "because": list(dict.fromkeys(row["evidence"] for row in cited)),
        "citations": cited,
        "refuted_by": "the failing tests are red with this change, or green without it",
        "not_enough_evidence": "",
    }
    if "edits" in answers:
        patch["edits"] = edits_between(one.path, file.text, one.text)
    else:
        patch["diff"] = unified_diff(one.path, file.text, one.text)
    return patch
