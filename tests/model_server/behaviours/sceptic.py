"""Which link of a why-chain does not hold: every quote is looked up again in the evidence it names."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.model_server.behaviours.analyst import citation
from tests.model_server.conversation import Conversation, Listed
from tests.model_server.plan import Plan
from tests.model_server.reading import known_evidence, read_evidence
from tests.model_server.schema import item_of

__all__ = ["doubt", "quotes_in"]

_NUMBER = re.compile(r"^\s*(?:[-*#]+ *)?(?:\**link )?\**(\d+)\**[.):]", re.MULTILINE | re.IGNORECASE)
_QUOTED = re.compile(
    r"\b(E\d+)\b(?:[^\n`\"“]{0,60}?)(?:`([^`\n]+)`|\"((?:[^\"\\\n]|\\.)+)\"(?=[\s,.;)\]]|$)|“([^”\n]+)”)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Quoted:
    """What a link says stands in evidence."""

    link: int
    evidence: str
    quote: str


def doubt(conversation: Conversation) -> Plan:
    """Objections to links whose quotes are absent, and the numbers of the others."""
    section = conversation.brief.partition("## Chain")[2].partition("\n## Evidence")[0] or conversation.brief
    quotes = quotes_in(section)
    if not quotes:
        return {"not_enough_evidence": "the chain cites nothing that could be looked up"}
    known = yield from known_evidence(conversation)
    sizes = {one.id: one for one in known}
    wanted = [sizes.get(one, Listed(one, "", "", 0)) for one in dict.fromkeys(x.evidence for x in quotes)]
    texts = yield from read_evidence(wanted, conversation)
    objections = (
        [] if conversation.refusals else [_objection(one, texts) for one in quotes if _is_absent(one, texts)]
    )
    fallen = {one.link for one in quotes if _is_absent(one, texts)}
    tried = {one.link for one in quotes if texts.get(one.evidence)}
    looked = "each quoted text in the evidence it names, character by character"
    stood: list[Any] = sorted(tried - fallen)
    if item_of(conversation.schema or {}, "stood").get("type") == "object":
        stood = [{"link": one, "looked_for": looked, "found": False, "statement": looked} for one in stood]
    missing = "" if stood or objections else "none of the cited evidence could be read"
    return {"objections": objections, "stood": stood, "not_enough_evidence": missing}


def _is_absent(one: Quoted, texts: dict[str, str]) -> bool:
    text = texts.get(one.evidence, "")
    return bool(text) and one.quote.replace("\r\n", "\n") not in text.replace("\r\n", "\n")


def _objection(one: Quoted, texts: dict[str, str]) -> dict[str, Any]:
    there = next((line for line in texts[one.evidence].splitlines() if len(line.strip()) > 3), "")
    cited = citation(one.evidence, there) if there else None
    looked = f"the words {one.quote[:120]!r} in {one.evidence}"
    refuter = {"looked_for": looked, "found": True, "citation": cited}
    return {
        "link": one.link,
        "refuter": refuter,
        "statement": f"{one.evidence} does not say {one.quote[:120]!r}",
    }


def quotes_in(section: str) -> list[Quoted]:
    """Quotes of a chain by link, whether it is written as JSON or as text with numbers."""
    links = _links_of_json(section)
    if links:
        return [
            Quoted(number, cited["evidence"], cited["quote"])
            for number, link in enumerate(links, start=1)
            for cited in (link.get("effect_citation"), link.get("cause_citation"))
            if isinstance(cited, dict) and cited.get("quote")
        ]
    heads = [(match.start(), int(match[1])) for match in _NUMBER.finditer(section)]
    found = []
    for index, (start, number) in enumerate(heads):
        end = heads[index + 1][0] if index + 1 < len(heads) else len(section)
        for match in _QUOTED.finditer(section[start:end]):
            quote = match[2] or match[4] or _unescaped(match[3] or "")
            found.append(Quoted(number, match[1], quote))
    return found


def _unescaped(quote: str) -> str:
    try:
        return str(json.loads(f'"{quote}"'))
    except json.JSONDecodeError:
        return quote


def _links_of_json(section: str) -> list[dict[str, Any]]:
    """Links of the first JSON value in `section` that holds some."""
    decoder = json.JSONDecoder()
    found: list[dict[str, Any]] = []
    at = 0
    while match := re.compile(r"[\[{]").search(section, at):
        try:
            value, at = decoder.raw_decode(section, match.start())
        except json.JSONDecodeError:
            at = match.start() + 1
            continue
        if isinstance(value, dict):
            value = value.get("chain") or [value]
        found += [one for one in value if isinstance(one, dict) and "cause_citation" in one]
    return found
