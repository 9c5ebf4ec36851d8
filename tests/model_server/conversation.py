"""What one request tells a model: its brief, its tools, the evidence it has seen and the answer it owes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

__all__ = ["Conversation", "Envelope", "Listed", "ToolResult", "envelopes_in", "listed_in"]

_ENVELOPE = re.compile(
    r'<evidence\s+id="(?P<id>[^"]+)"(?P<rest>[^>\n]*?)\s+tag="(?P<tag>[^"]+)"(?P<more>[^>\n]*)>\r?\n'
    r"(?P<text>.*?)\r?\n?</evidence (?P=tag)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_LISTED = re.compile(
    r"^[\s*-]*(?P<id>E\d+)\s+(?P<kind>[a-z_]+)\s+(?P<subject>.*?)\s*\b(?P<size>\d+) bytes\b", re.MULTILINE
)
_REFUSED = "These claims were refused:"


@dataclass(frozen=True)
class Envelope:
    """Text of evidence, as it was handed over."""

    id: str
    kind: str
    text: str
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Listed:
    """A line that says that evidence exists."""

    id: str
    kind: str
    subject: str
    size: int


@dataclass(frozen=True)
class ToolResult:
    """What a tool that the model called has answered."""

    name: str
    arguments: Mapping[str, Any]
    text: str


def envelopes_in(text: str) -> list[Envelope]:
    """Every closed envelope of `text`, in order."""
    found = []
    for match in _ENVELOPE.finditer(text):
        attributes = dict(_ATTRIBUTE.findall(match["rest"] + match["more"]))
        found.append(Envelope(match["id"], attributes.get("kind", ""), match["text"], attributes))
    return found


def listed_in(text: str) -> list[Listed]:
    """Every line of `text` that lists a piece of evidence."""
    return [
        Listed(one["id"], one["kind"], one["subject"].rstrip(" ,;:-"), int(one["size"]))
        for one in _LISTED.finditer(text)
    ]


@dataclass(frozen=True)
class Conversation:
    """One request for an answer."""

    body: Mapping[str, Any]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """All messages, oldest first."""
        return list(self.body.get("messages", ()))

    @cached_property
    def tools(self) -> dict[str, dict[str, Any]]:
        """JSON schema of each tool's parameters, by the tool's name."""
        functions = [tool["function"] for tool in self.body.get("tools") or ()]
        return {one["name"]: one.get("parameters") or {} for one in functions}

    @property
    def may_call(self) -> bool:
        """Whether the model may call a tool now."""
        return bool(self.tools) and self.body.get("tool_choice") != "none"

    @cached_property
    def brief(self) -> str:
        """The text of the first message of role user."""
        return next((text_of(one) for one in self.messages if one.get("role") == "user"), "")

    @property
    def headline(self) -> str:
        """The brief's first headline, which says what kind of work this is."""
        lines = (line.strip() for line in self.brief.splitlines())
        return next((line.lstrip("# ").strip() for line in lines if line.startswith("#")), "")

    @cached_property
    def schema(self) -> dict[str, Any] | None:
        """JSON schema of the answer: as the request sets it, else the last one that the brief shows."""
        wanted = self.body.get("response_format") or {}
        if wanted.get("type") == "json_schema":
            schema = wanted.get("json_schema", {}).get("schema")
            return schema if isinstance(schema, dict) else None
        shown = [one for one in _objects_in(self.brief) if "properties" in one or "$ref" in one]
        return shown[-1] if shown else None

    @property
    def turn(self) -> int:
        """How often the model has spoken already."""
        return sum(one.get("role") == "assistant" for one in self.messages)

    @cached_property
    def results(self) -> list[ToolResult]:
        """Results of all tool calls so far, in order."""
        calls: dict[str, Mapping[str, Any]] = {}
        found = []
        for message in self.messages:
            for call in message.get("tool_calls") or ():
                calls[call["id"]] = call["function"]
            if message.get("role") == "tool":
                function = calls.get(message.get("tool_call_id", ""), {})
                arguments = _loaded(function.get("arguments", ""))
                found.append(ToolResult(str(function.get("name", "")), arguments, text_of(message)))
        return found

    @cached_property
    def refusals(self) -> list[list[str]]:
        """Reasons for which answers were refused, one list for every refusal."""
        texts = [text_of(one) for one in self.messages if one.get("role") == "user"][1:]
        return [
            re.findall(r"^- (.+)$", text.partition(_REFUSED)[2], re.MULTILINE)
            for text in texts
            if _REFUSED in text
        ]

    @cached_property
    def texts(self) -> list[str]:
        """Text of every message that the model did not write itself."""
        return [text_of(one) for one in self.messages if one.get("role") != "assistant"]

    @cached_property
    def envelopes(self) -> list[Envelope]:
        """Evidence that was handed over, in the brief and by tools."""
        return [one for text in self.texts for one in envelopes_in(text)]

    @cached_property
    def listed(self) -> list[Listed]:
        """Evidence that is known to exist: what lists name, the brief's first, none of it twice."""
        found: dict[str, Listed] = {}
        for one in (one for text in self.texts for one in listed_in(text)):
            found.setdefault(one.id, one)
        return list(found.values())


def text_of(message: Mapping[str, Any]) -> str:
    """The words of a message, whichever of the two shapes its content has."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _loaded(arguments: str) -> dict[str, Any]:
    try:
        value = json.loads(arguments or "{}")
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _objects_in(text: str) -> Iterator[dict[str, Any]]:
    """JSON objects that begin a line of `text`, outermost ones only."""
    decoder = json.JSONDecoder()
    at = 0
    while (match := re.compile(r"^\s*(?=\{)", re.MULTILINE).search(text, at)) is not None:
        try:
            value, at = decoder.raw_decode(text, match.end())
        except json.JSONDecodeError:
            at = match.end() + 1
            continue
        if isinstance(value, dict):
            yield value
