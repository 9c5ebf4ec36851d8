"""What a claim has to show beside its quotes when an agent made it: that it was read, that it is of now, that it hangs
together. What instruments propose is built from receipts and has its own checks in `links`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.evidence import Citation, Evidence
from goldenpath_loop.records.findings import Finding, WhyLink

__all__ = ["Origin", "unlinked", "unread", "unshown_action"]

_OF_OLDER_RUNS = frozenset({"intervention", "introduced_by"})
"""Kinds of link that rest on runs of other revisions, and name them."""
_STAMP = re.compile(r"\b(\d{4}-\d\d-\d\d[T ])?(\d\d:\d\d:\d\d(?:[.,]\d+)?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*\.\w+")
_EVERYWHERE = frozenset(
    {
        "and",
        "assert",
        "class",
        "def",
        "elif",
        "else",
        "error",
        "false",
        "for",
        "from",
        "if",
        "import",
        "line",
        "none",
    }
    | {
        "not",
        "raise",
        "return",
        "self",
        "test",
        "the",
        "true",
        "while",
        "with",
        "file",
        "str",
        "int",
        "async",
        "await",
    }
)
"""Words that join everything with everything."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a claim comes from: an agent that was shown some evidence, about one revision."""

    read: frozenset[str]
    revision: Revision
    records: Mapping[str, Evidence] = field(default_factory=dict)
    """What is known of cited evidence, by id."""
    data: Mapping[str, bytes] = field(default_factory=dict)


def unread(citation: Citation, origin: Origin, *, kind: str = "") -> str:
    """Why a citation does not count although its quote may stand there; empty when it does."""
    if citation.evidence not in origin.read:
        return f"{citation.evidence} was never put before the agent that cites it"
    known = origin.records.get(citation.evidence)
    served = known.obtained.served_revision if known else None
    if served is not None and served != origin.revision and kind not in _OF_OLDER_RUNS:
        return f"{citation.evidence} was seen on {served[:10]}, and this is about {origin.revision[:10]}"
    return ""


def unshown_action(finding: Finding, settings: Mapping[str, Sequence[str]]) -> str:
    """Why an operator action is not to be believed: it has to name what the target has, in words that it quotes.

    Args:
        finding: The claim.
        settings: Required settings of every service.
    """
    action = finding.action
    if finding.kind != "operator_action":
        return "only an operator action may name one" if action else ""
    if action is None:
        return "an operator action has to say what is to be done"
    if action.service and action.service not in settings:
        return f"there is no service {action.service!r}"
    quotes = " ".join(one.quote for one in finding.citations)
    for name in (action.service, action.setting):
        if name and name.lower() not in quotes.lower():
            return f"nothing that it cites speaks of {name}"
    if not (action.service or action.setting):
        return "an operator action has to name a service or a setting"
    return ""


def unlinked(link: WhyLink, held: Sequence[WhyLink], origin: Origin) -> str:
    """Why the two ends of a link do not hang together, in one sentence; empty when they do."""
    if any(link.cause in (one.effect, one.cause) for one in held):
        return "it leads back to where the chain has been"
    if held and link.effect_citation.evidence != held[-1].cause_citation.evidence:
        return "it does not start at the evidence where the link above it ends"
    for citation in (link.effect_citation, link.cause_citation):
        problem = unread(citation, origin, kind=link.kind)
        if problem:
            return problem
    one, other = link.effect_citation, link.cause_citation
    if (one.evidence, one.start, one.end) == (other.evidence, other.start, other.end):
        return "effect and cause are the same observation"
    if link.kind == "time_order":
        return _order(one.quote, other.quote)
    if link.kind in ("call_path", "configuration"):
        return _two_services(one, other, origin) or _strangers(one, other, origin)
    return ""


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
    names = [log.subject.split()[-1] for log in logs if log is not None]
    texts = [origin.data.get(id, b"").decode("utf-8", "replace") for id in (one.evidence, other.evidence)]
    if names[0] == names[1] or names[0] in texts[1] or names[1] in texts[0]:
        return ""
    return f"{one.evidence} and {other.evidence} are of two services, and neither names the other"


def _strangers(one: Citation, other: Citation, origin: Origin) -> str:
    """A step from one place to the next leaves a name behind: the file, or something that both quotes speak of."""
    cause = origin.records.get(other.evidence)
    text = origin.data.get(one.evidence, b"").decode("utf-8", "replace")
    paths = _PATH.findall(cause.subject) if cause is not None and cause.kind == "source" else []
    if any(path in text or path.rsplit("/", 1)[-1] in text for path in paths):
        return ""
    if _names(one.quote) & _names(other.quote):
        return ""
    if paths and _names(other.quote) & _names(text):
        return ""
    return f"nothing in {one.evidence} leads to what it cites of {other.evidence}"


def _names(text: str) -> frozenset[str]:
    return frozenset(word for word in _NAME.findall(text) if word.lower() not in _EVERYWHERE)
