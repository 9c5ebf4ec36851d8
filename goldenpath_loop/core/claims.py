"""What a claim has to show beside its quotes when an agent made it: that it was read, that it is of now, that it hangs
together. What instruments propose is built from receipts and has its own checks in `links`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from goldenpath_loop.core.shared_names import code_names, names
from goldenpath_loop.core.state import State
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.effects import (
    Deploy,
    DispatchAgent,
    ProbeCommit,
    ProbeHunks,
    ProbeService,
    RunSuite,
    TraceTests,
)
from goldenpath_loop.records.evidence import Citation, Evidence
from goldenpath_loop.records.findings import Finding, WhyLink

__all__ = ["Origin", "nothing_to_explain", "origin_of", "unlinked", "unread", "unshown_action"]

_EARLY_S, _LATE_S = 2.0, 5.0
"""How long before a test begins and after it ended a service may speak of it."""
_QUARTER_S = 900.0
_OF_OLDER_RUNS = frozenset({"intervention", "introduced_by"})
"""Kinds of link that rest on runs of other revisions, and name them."""
_OF_A_FAILURE = frozenset({"regression", "intermittent"})
"""What triage says of failures that the code may be to blame for."""
_OF_A_RUN = frozenset({"test_result", "service_log", "command_output"})
"""What a dispatch captures only while a patch is tried."""
_STAMP = re.compile(r"\b(\d{4}-\d\d-\d\d[T ])?(\d\d:\d\d:\d\d(?:[.,]\d+)?)")
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*\.\w+")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a claim comes from: an agent that was shown some evidence, about one revision."""

    read: frozenset[str]
    revision: Revision
    records: Mapping[str, Evidence] = field(default_factory=dict)
    """What is known of cited evidence, by id."""
    data: Mapping[str, bytes] = field(default_factory=dict)
    made_by: Mapping[str, str] = field(default_factory=dict)
    """Key of the effect during which cited evidence was captured."""
    revisions: Mapping[str, Revision] = field(default_factory=dict)
    """What those effects were run on."""
    needs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Services that the tests of those effects go through."""
    tried: frozenset[str] = frozenset()
    """Evidence of runs with a patch that somebody tried."""


def origin_of(
    state: State,
    *,
    read: Iterable[str],
    revision: Revision,
    records: Mapping[str, Evidence],
    data: Mapping[str, bytes],
) -> Origin:
    """What the gate has to know of the agent behind a claim.

    Args:
        state: The state of the run.
        read: Evidence that was put before the agent.
        revision: What it was asked about.
        records: What is known of the evidence that it cites.
        data: The stored bytes of that.
    """
    made_by: dict[str, str] = {}
    revisions: dict[str, Revision] = {}
    needs: dict[str, frozenset[str]] = {}
    deployed: dict[str, Revision] = {}
    tried: set[str] = set()
    policy = state.started.policy if state.started else None
    for key, record in state.effects.items():
        effect = record.effect
        if isinstance(effect, Deploy):
            deployed[effect.deployment] = effect.revision
        cited = records.keys() & set(record.evidence)
        if not cited:
            continue
        made_by |= dict.fromkeys(cited, key)
        if isinstance(effect, RunSuite | ProbeCommit | ProbeHunks | Deploy | TraceTests | DispatchAgent):
            revisions |= dict.fromkeys(cited, effect.revision)
        if isinstance(effect, ProbeService) and effect.deployment in deployed:
            revisions |= dict.fromkeys(cited, deployed[effect.deployment])
        if isinstance(effect, DispatchAgent):
            tried |= {id for id in cited if records[id].kind in _OF_A_RUN}
        if isinstance(effect, RunSuite) and policy is not None:
            needs[key] = frozenset(policy.suite(effect.suite).needs)
    return Origin(frozenset(read), revision, records, data, made_by, revisions, needs, frozenset(tried))


def unread(citation: Citation, origin: Origin, *, kind: str = "") -> str:
    """Why a citation does not count although its quote may stand there; empty when it does."""
    if citation.evidence not in origin.read:
        return f"{citation.evidence} was never put before the agent that cites it"
    if citation.evidence in origin.tried:
        return f"{citation.evidence} was seen with a patch that was only tried"
    known = origin.records.get(citation.evidence)
    served = known.obtained.served_revision if known else None
    seen_on = served or origin.revisions.get(citation.evidence)
    if seen_on is not None and seen_on != origin.revision and kind not in _OF_OLDER_RUNS:
        return f"{citation.evidence} was seen on {seen_on[:10]}, and this is about {origin.revision[:10]}"
    return ""


def nothing_to_explain(finding: Finding, state: State) -> str:
    """Why there is no failure that a why-chain could be about; empty when there is one, or none is needed."""
    if finding.kind == "operator_action" or (finding.kind != "why_chain" and not finding.chain):
        return ""
    if not any(one.id == finding.cluster for one in state.clusters):
        return "there is no failure that it explains"
    triage = state.verdict("triage", finding.cluster)
    if triage is not None and triage.value not in _OF_A_FAILURE:
        return f"its failure was measured to be {triage.value}: {triage.statement}"
    return ""


def unshown_action(finding: Finding, state: State) -> str:
    """Why an operator action is not to be believed: it has to name what the target has, in words that it quotes.

    Args:
        finding: The claim.
        state: Its run; names the services.
    """
    action = finding.action
    if finding.kind != "operator_action":
        return "only an operator action may name one" if action else ""
    if action is None:
        return "an operator action has to say what is to be done"
    policy = state.started.policy if state.started else None
    if action.service and policy is not None and action.service not in {one.name for one in policy.services}:
        return f"there is no service {action.service!r}"
    quotes = "\n".join(one.quote for one in finding.citations)
    for name in (action.service, action.setting):
        if name and not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", quotes, re.IGNORECASE):
            return f"nothing that it cites speaks of {name}"
    if not (action.service or action.setting):
        return "an operator action has to name a service or a setting"
    return ""


def unlinked(link: WhyLink, held: Sequence[WhyLink], origin: Origin) -> str:
    """Why the two ends of a link do not hang together, in one sentence; empty when they do."""
    been = [words for one in held for words in (one.effect, one.cause)] + [link.effect]
    if _said(link.cause) in map(_said, been):
        return "it leads back to where the chain has been"
    places = [place for one in held for place in (one.effect_citation, one.cause_citation)]
    if any(_is_same(link.cause_citation, one) for one in places if one != link.effect_citation):
        return "it leads back to where the chain has been"
    if held and link.effect_citation.evidence != held[-1].cause_citation.evidence:
        return "it does not start at the evidence where the link above it ends"
    one, other = link.effect_citation, link.cause_citation
    for citation in (one, other, link.refuter.citation):
        problem = unread(citation, origin, kind=link.kind) if citation is not None else ""
        if problem:
            return problem
    if _is_same(one, other):
        return "effect and cause are the same observation"
    if link.kind == "time_order":
        return _order(one.quote, other.quote)
    if link.kind in ("call_path", "configuration"):
        if _is_of(one, "test_result", origin) and _is_of(other, "service_log", origin):
            return _other_run(one, other, origin)
        return _two_services(one, other, origin) or _strangers(one, other, origin)
    return ""


def _said(words: str) -> str:
    return " ".join(words.lower().split())


def _is_same(one: Citation, other: Citation) -> bool:
    """Whether two quotes are of one place: a word more or less makes no other observation."""
    common = min(one.end, other.end) - max(one.start, other.start)
    longer = max(one.end - one.start, other.end - other.start)
    return one.evidence == other.evidence and 2 * common > longer


def _is_of(citation: Citation, kind: str, origin: Origin) -> bool:
    known = origin.records.get(citation.evidence)
    return known is not None and known.kind == kind


def _other_run(test: Citation, log: Citation, origin: Origin) -> str:
    """What a service logged belongs to a failure when it was said during that very test, by a service it needs."""
    run = origin.made_by.get(test.evidence)
    if run is None or origin.made_by.get(log.evidence) != run:
        return f"{log.evidence} is not the log of the run that {test.evidence} is of"
    service = _service_of(origin.records[log.evidence])
    if origin.needs.get(run) and service not in origin.needs[run]:
        return f"the test does not need {service}"
    said = _last_stamp(
        origin.data.get(log.evidence, b"")[: max(log.start, 0)].decode("utf-8", "replace") + log.quote
    )
    obtained = origin.records[test.evidence].obtained
    if said is None:
        return ""
    began = obtained.started_at.replace(tzinfo=None)
    # Logs tell the time of some zone, and zones are whole quarters of an hour apart.
    apart_s = ((said - began).total_seconds() + _EARLY_S) % _QUARTER_S
    if apart_s > _EARLY_S + obtained.duration_s + _LATE_S:
        return f"{log.evidence} says that at another time than {test.evidence} ran"
    return ""


def _service_of(log: Evidence) -> str:
    words = log.subject.split()
    return words[2] if words[:2] == ["log", "of"] and len(words) > 2 else log.subject


def _last_stamp(text: str) -> datetime | None:
    found = [stamp for match in _STAMP.finditer(text) if (stamp := _stamp(match.group())) is not None]
    return found[-1] if found else None


def _order(effect: str, cause: str) -> str:
    later, earlier = _stamp(effect), _stamp(cause)
    if later is None or earlier is None:
        return "order in time needs a time stamp in both quotes"
    return "its cause is younger than its effect" if earlier > later else ""


def _stamp(quote: str) -> datetime | None:
    found = _STAMP.search(quote)
    if found is None:
        return None
    day = (found.group(1) or "1970-01-01 ").replace("T", " ")
    try:
        return datetime.fromisoformat(day + found.group(2).replace(",", ".")[:15])
    except ValueError:
        return None


def _two_services(one: Citation, other: Citation, origin: Origin) -> str:
    """Logs of two services say something of each other only when one of them names the other."""
    logs = [origin.records.get(id) for id in (one.evidence, other.evidence)]
    if any(log is None or log.kind != "service_log" for log in logs):
        return ""
    services = [_service_of(log) for log in logs if log is not None]
    texts = [origin.data.get(id, b"").decode("utf-8", "replace") for id in (one.evidence, other.evidence)]
    if services[0] == services[1] or services[0] in texts[1] or services[1] in texts[0]:
        return ""
    return f"{one.evidence} and {other.evidence} are of two services, and neither names the other"


def _strangers(one: Citation, other: Citation, origin: Origin) -> str:
    """A step from one place to the next leaves a name behind: the file, or something that both quotes speak of."""
    cause = origin.records.get(other.evidence)
    text = origin.data.get(one.evidence, b"").decode("utf-8", "replace")
    paths = _PATH.findall(cause.subject) if cause is not None and cause.kind == "source" else []
    if any(path in text or path.rsplit("/", 1)[-1] in text for path in paths):
        return ""
    if one.evidence != other.evidence and cause is not None and cause.kind in ("source", "diff"):
        # A line of code shares plain words with every sentence; only a name of code leads to it.
        if code_names(text if paths else one.quote) & code_names(other.quote):
            return ""
    elif names(one.quote) & names(other.quote):
        return ""
    if one.evidence == other.evidence and _is_one_entry(one, other, origin):
        return ""
    return f"nothing in {one.evidence} leads to what it cites of {other.evidence}"


def _is_one_entry(one: Citation, other: Citation, origin: Origin) -> bool:
    """Whether two quotes of a log stand in what was said at one moment, like an error and its traceback."""
    log = origin.data.get(one.evidence, b"")
    first, last = sorted((one.start, other.start))
    begins = log.rfind(b"\n", 0, first) + 1
    stamps = _STAMP.findall(log[begins:last].decode("utf-8", "replace"))
    return len(stamps) == 1 and _is_of(one, "service_log", origin)
