"""A model that reads and then cites falsely, in seven ways; and the forger as a function, for benchmarks."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any, Literal, get_args

from tests.model_server.conversation import Conversation, Listed
from tests.model_server.plan import Plan, follow
from tests.model_server.reading import known_evidence, read_evidence
from tests.model_server.reply import Reply

__all__ = ["LIES", "Liar", "Lie", "forge", "honest"]

Lie = Literal["paraphrase", "wrong_line", "wrong_run", "stale", "changed_number", "cut_quote", "absent_text"]
LIES: tuple[Lie, ...] = get_args(Lie)

_TRIES = 60
_OTHER_WORDS = {
    "failed": "did not succeed", "error": "problem", "expected": "wanted", "refused": "rejected", "not": "never",
    "missing": "absent", "timeout": "time limit", "connection": "link", "is": "was", "has": "had", "and": "or",
    "assert": "check", "green": "passed", "red": "failed", "outcome": "result", "raise": "throw", "return": "give",
    "called": "invoked", "found": "seen", "of": "for", "in": "inside", "from": "out of", "commit": "change",
    "healthy": "in good health", "status": "state", "file": "document", "line": "row", "test": "check",
}  # fmt: skip
_INVENTIONS = (
    "ConnectionResetError: [Errno {n}] Connection reset by peer",
    "WARNING pool exhausted after {n} ms, {m} waiting",
    "assert {n} == {m}",
    "TimeoutError: no answer from upstream within {n} ms",
    "KeyError: 'session_{n}'",
    "lock held by worker {n} for {m} seconds",
)


def honest(evidence_id: str, text: str, rng: random.Random) -> dict[str, Any]:
    """A true citation of `text`: a line, a part of one or several, with its place or without.

    Raises:
        ValueError: The text has nothing to cite.
    """
    start, end = _span(text, rng)
    return _citation(evidence_id, text[start:end], text, start if rng.random() < 0.5 else None)


def forge(
    kind: Lie,
    evidence_id: str,
    text: str,
    rng: random.Random,
    *,
    foreign: str = "",
    earlier: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """A citation of `text` that is false in the way `kind` says, and only in that way.

    A lie of kind `stale` is false by its use alone: id and quote agree, and the evidence is about another
    revision than the claim. Without `earlier` the evidence given is taken for that older one.

    Args:
        kind: What is wrong with it.
        evidence_id: What the citation says it cites.
        text: What that evidence says, as it is stored.
        rng: Where chance comes from.
        foreign: An id of another run for `wrong_run`; an id that hardly exists when empty.
        earlier: Id and text of evidence about an earlier revision, for `stale`.

    Raises:
        ValueError: This text gives no occasion for this lie.
    """
    if kind == "stale":
        return honest(*(earlier or (evidence_id, text)), rng)
    if kind == "wrong_run":
        true = honest(evidence_id, text, rng)
        return {**true, "evidence": foreign or f"E{int(evidence_id[1:]) + rng.randint(5000, 90000)}"}
    if kind == "wrong_line":
        return _misplaced(evidence_id, text, rng)
    change = _CHANGES[kind]
    for _ in range(_TRIES):
        start, end = _span(text, rng)
        quote = change(text[start:end], rng)
        if len("".join(quote.split())) >= 4 and _plain(quote) not in _plain(text):
            return _citation(evidence_id, quote, text, start if rng.random() < 0.3 else None)
    raise ValueError(f"nothing in {evidence_id} gives occasion for {kind}")


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")


def _citation(evidence: str, quote: str, text: str, at: int | None) -> dict[str, Any]:
    """A citation; offsets are counted in bytes."""
    start = -1 if at is None else len(text[:at].encode())
    end = -1 if at is None else start + len(quote.encode())
    return {"evidence": evidence, "quote": quote, "start": start, "end": end}


def _span(text: str, rng: random.Random) -> tuple[int, int]:
    """A piece of text that is worth citing."""
    lines = [match.span() for match in re.finditer(r"[^\r\n]+", text) if len(match[0].split()) > 1]
    lines = lines or [match.span() for match in re.finditer(r"\S{4,}", text)]
    if not lines:
        raise ValueError("there is nothing to cite")
    number = rng.randrange(len(lines))
    start, end = lines[number]
    shape = rng.random()
    if shape < 0.2 and number + 1 < len(lines):
        return start, lines[number + 1][1]
    words = [match.span() for match in re.finditer(r"\S+", text[start:end])]
    if shape < 0.5 and len(words) > 4:
        first = rng.randrange(len(words) - 3)
        last = rng.randrange(first + 2, len(words))
        return start + words[first][0], start + words[last][1]
    return start + words[0][0], start + words[-1][1]


def _misplaced(evidence: str, text: str, rng: random.Random) -> dict[str, Any]:
    data = text.encode()
    for _ in range(_TRIES):
        start, end = _span(text, rng)
        other, _end = _span(text, rng)
        quote = text[start:end]
        at = len(text[:other].encode()) + rng.choice((0, 0, 1, -1))
        size = len(quote.encode())
        there = data[max(at, 0) : max(at, 0) + size].replace(b"\r\n", b"\n")
        if at >= 0 and there != quote.encode().replace(b"\r\n", b"\n"):
            return {"evidence": evidence, "quote": quote, "start": at, "end": at + size}
    raise ValueError(f"nothing in {evidence} gives occasion for wrong_line")


def _paraphrase(quote: str, rng: random.Random) -> str:
    words = re.split(r"(\W+)", quote)
    known = [number for number, word in enumerate(words) if word.lower() in _OTHER_WORDS]
    if known:
        for number in rng.sample(known, rng.randint(1, len(known))):
            words[number] = _OTHER_WORDS[words[number].lower()]
        return "".join(words)
    parts = quote.split()
    middle = max(1, len(parts) // 2)
    return " ".join([*parts[middle:], *parts[:middle]])


def _other_number(quote: str, rng: random.Random) -> str:
    digits = [match.start() for match in re.finditer(r"\d", quote)]
    if not digits:
        return ""
    at = rng.choice(digits)
    digit = rng.choice([one for one in "0123456789" if one != quote[at]])
    return quote[:at] + digit + quote[at + 1 :]


def _cut(quote: str, rng: random.Random) -> str:
    words = quote.split(" ")
    if len(words) < 3:
        return ""
    first = rng.randrange(1, len(words) - 1)
    last = rng.randrange(first + 1, len(words))
    gap = rng.choice(([], [], ["..."]))
    return " ".join([*words[:first], *gap, *words[last:]])


def _invented(quote: str, rng: random.Random) -> str:
    return rng.choice(_INVENTIONS).format(n=rng.randint(2, 9999), m=rng.randint(2, 99))


_CHANGES: dict[str, Callable[[str, random.Random], str]] = {
    "paraphrase": _paraphrase,
    "changed_number": _other_number,
    "cut_quote": _cut,
    "absent_text": _invented,
}


class Liar:
    """Reads what the brief lists and answers with findings that cite it falsely.

    Args:
        kind: What is wrong with every citation.
        chain: Whether the claim is a why-chain instead of an observation.
    """

    def __init__(self, kind: Lie, *, chain: bool = False) -> None:
        self._kind = kind
        self._chain = chain

    def reply(self, conversation: Conversation) -> Reply:
        """The next call, or the lie."""
        return follow(self._plan(conversation), conversation)

    def _plan(self, conversation: Conversation) -> Plan:
        listed = yield from known_evidence(conversation)
        texts = yield from read_evidence(listed[:6], conversation)
        rng = random.Random(f"{self._kind}{len(conversation.refusals)}{conversation.brief}")
        lies = []
        for one in listed[:6]:
            try:
                lies.append(
                    forge(self._kind, one.id, texts[one.id], rng, earlier=_earlier(one, listed, texts))
                )
            except ValueError:
                continue
        if not lies:
            return {"not_enough_evidence": "there was nothing to read"}
        lies = (lies * 2)[: max(2, len(lies))]
        finding = {
            "kind": "why_chain" if self._chain else "observation",
            "title": "The cause is plain from the evidence",
            "statement": f"It is as the evidence says: {lies[0]['quote'][:200]}",
            "citations": [] if self._chain else lies,
            "chain": [_link(lies)] if self._chain else [],
        }
        refuter = {"looked_for": "words to the contrary", "found": True, "citation": lies[0]}
        objection = {"link": 1, "refuter": refuter, "statement": "the evidence says otherwise"}
        return {"findings": [finding], "objections": [objection], "citations": lies}


def _link(lies: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "kind": "configuration",
        "effect": f"the test says {lies[0]['quote'][:100]}",
        "cause": f"a setting says {lies[1]['quote'][:100]} there",
        "effect_citation": lies[0],
        "cause_citation": lies[1],
        "refuter": {"looked_for": "another reading of it", "found": False, "citation": None},
        "measured_by": [],
    }


def _earlier(one: Listed, listed: list[Listed], texts: dict[str, str]) -> tuple[str, str] | None:
    """Older evidence about the same thing."""
    older = [x for x in listed if (x.kind, x.subject) == (one.kind, one.subject) and x.id in texts]
    return (older[0].id, texts[older[0].id]) if older and texts[older[0].id] else None
