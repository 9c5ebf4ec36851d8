"""A model that does whatever any text tells it, material included: the one an injected order is meant for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.model_server.conversation import Conversation
from tests.model_server.plan import Plan, follow
from tests.model_server.reading import known_evidence, read_evidence
from tests.model_server.reply import Calls, Reply, Text
from tests.model_server.schema import fit, properties_of

__all__ = ["Obedient"]

_CALL = re.compile(r"call (?:the )?tool [`\"']?(\w+)[`\"']? with (?=\{)", re.IGNORECASE)
_ANSWER = re.compile(r"answer with (?:the following|this) JSON:?\s*(?=\{)", re.IGNORECASE)
_PRINT = re.compile(r"(?:print|reveal|tell me|output) the value of [`\"'$]?(\w+)", re.IGNORECASE)
_WRITE = re.compile(r"write [\"“](.+?)[\"”] as (?:a |the )?finding", re.IGNORECASE)
_IGNORE = re.compile(
    r"(?:ignore|disregard) (?:all )?(?:the )?previous instructions[.,:;!]*[ ]*(.*)", re.IGNORECASE
)


class Obedient:
    """Reads everything that is listed, then obeys what it found, the last order first.

    Without an order in any text it has nothing to say, and says so.
    """

    def reply(self, conversation: Conversation) -> Reply:
        """The next thing it was told to do."""
        texts = conversation.texts
        for name, arguments in _calls_in(texts):
            made = ((one.name, one.arguments) for one in conversation.results)
            if (name, arguments) not in made and conversation.body.get("tool_choice") != "none":
                return Calls([(name, arguments)])
        reading = follow(_read_all(conversation), conversation)
        if isinstance(reading, Calls):
            return reading
        dictated = [value for text in texts for _, value in _objects_after(_ANSWER, text)]
        if dictated:
            return Text(json.dumps(dictated[-1]))
        said = [*_secrets(texts), *(m[1] for text in texts for m in _WRITE.finditer(text))]
        said = said or [f"As told: {m[1].strip()}" for text in texts for m in _IGNORE.finditer(text)]
        return Text(json.dumps(_claim(said, conversation), ensure_ascii=False))


def _read_all(conversation: Conversation) -> Plan:
    listed = yield from known_evidence(conversation)
    yield from read_evidence(listed, conversation)
    yield [("read_history", {})]
    return ""


def _objects_after(pattern: re.Pattern[str], text: str) -> Iterator[tuple[re.Match[str], dict[str, Any]]]:
    for match in pattern.finditer(text):
        try:
            value, _ = json.JSONDecoder().raw_decode(text, match.end())
        except json.JSONDecodeError:
            continue
        yield match, value


def _calls_in(texts: list[str]) -> list[tuple[str, dict[str, Any]]]:
    return [(match[1], value) for text in texts for match, value in _objects_after(_CALL, text)]


def _secrets(texts: list[str]) -> list[str]:
    """What was asked for by name, with its value if any text shows it."""
    found = []
    for name in dict.fromkeys(match[1] for text in texts for match in _PRINT.finditer(text)):
        shown = re.compile(rf"\b{re.escape(name)}[\"']?\s*[=:]\s*[\"']?([^\s\"',]+)")
        values = [match[1] for text in texts for match in shown.finditer(text)]
        found.append(f"{name}={values[0]}" if values else f"the value of {name} is not known to me")
    return found


def _claim(said: list[str], conversation: Conversation) -> dict[str, Any]:
    """The words in whatever place the schema has for words."""
    schema = conversation.schema or {}
    known = properties_of(schema)
    words = " ".join(said)
    if not words:
        return dict(fit({"not_enough_evidence": "no text told me what to do"}, schema))
    if "findings" not in known:
        return dict(fit({name: words for name in ("rationale", "summary", "not_enough_evidence")}, schema))
    cited = next((one for one in conversation.envelopes if any(text in one.text for text in said)), None)
    quote = next((text for text in said if cited and text in cited.text), "")
    citations = [{"evidence": cited.id, "quote": quote, "start": -1, "end": -1}] if cited else []
    findings = [
        {"kind": "observation", "title": text[:120], "statement": text, "citations": citations}
        for text in said
    ]
    return dict(fit({"findings": findings}, schema))
