"""A small client of the model server, with evidence and a folder of source, for the tests of behaviours."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

__all__ = ["FINDINGS", "OBJECTIONS", "PATCH", "Desk"]

_CITATION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "evidence": {"type": "string"},
        "quote": {"type": "string"},
        "start": {"type": "integer", "default": -1},
        "end": {"type": "integer", "default": -1},
    },
    "required": ["evidence", "quote"],
}
_CITATIONS = {"type": "array", "items": {"$ref": "#/$defs/Citation"}}
_MISSING = {"type": "string", "default": ""}
_STRING, _NUMBERS = {"type": "string"}, {"type": "array", "items": {"type": "integer"}}


def _answer(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "$defs": {"Citation": _CITATION},
        "additionalProperties": False,
        "properties": {**properties, "not_enough_evidence": _MISSING},
    }


FINDINGS = _answer({"findings": {"type": "array", "items": {"type": "object"}}})
OBJECTIONS = _answer({"objections": {"type": "array", "items": {"type": "object"}}, "stood": _NUMBERS})
PATCH = _answer(
    {"diff": _STRING, "intended": {"type": "array"}, "rationale": _STRING, "citations": _CITATIONS}
)


def _tool(name: str, **parameters: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {key: {"type": kind} for key, kind in parameters.items()}}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


@dataclass
class Desk:
    """What an agent may look at, and how a patch is judged.

    Attributes:
        folder: The source tree.
        evidence: Text of evidence by id, with its kind and subject before it.
        check: Whether the tests are green in a folder; None when patches cannot be tried.
        page: How much of a piece of evidence is shown at once.
        numbered: Whether source is shown with the numbers of its lines.
    """

    folder: Path
    evidence: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    check: Callable[[Path], bool] | None = None
    page: int = 6000
    numbered: bool = False
    turns: int = 60
    called: list[str] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)

    def ask(
        self, base: str, brief: str, schema: Mapping[str, Any], refusals: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """The answer to a brief, every call of a tool answered; each refusal asks once more."""
        listing = self.list_evidence()
        text = f"{brief}\n\n## Evidence\n\n{listing}\n\n{json.dumps(schema)}"
        self.messages = [{"role": "system", "content": "Rules."}, {"role": "user", "content": text}]
        tools = [
            _tool("list_evidence"),
            _tool("read_evidence", id="string", start="integer", length="integer"),
            _tool("read_source", path="string", first="integer", count="integer"),
            _tool("search_source", text="string"),
            _tool("read_history", path="string"),
            *([_tool("try_patch", diff="string", edits="array")] if self.check else []),
        ]
        wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
        left = list(refusals)
        with httpx.Client(trust_env=False, timeout=30) as client:
            for _ in range(self.turns):
                body = {"model": "m", "messages": self.messages, "tools": tools, "response_format": wanted}
                answer = client.post(f"{base}/chat/completions", json=body)
                message = answer.raise_for_status().json()["choices"][0]["message"]
                self.messages.append(message)
                for call in message.get("tool_calls", ()):
                    said = self._call(call["function"]["name"], json.loads(call["function"]["arguments"]))
                    self.messages.append({"role": "tool", "tool_call_id": call["id"], "content": said})
                if not message.get("tool_calls"):
                    if not left:
                        return dict(json.loads(message["content"]))
                    text = f"These claims were refused:\n- {left.pop(0)}\n"
                    self.messages.append({"role": "user", "content": text})
        raise AssertionError("there was no answer within the allowed turns")

    def _call(self, name: str, arguments: dict[str, Any]) -> str:
        self.called.append(name)
        return str(getattr(self, name, lambda **_: "there is no such tool")(**arguments))

    def list_evidence(self) -> str:
        """One line for each piece."""
        return "\n".join(
            f"{id_} {kind} {subject} {len(text.encode())} bytes"
            for id_, (kind, subject, text) in self.evidence.items()
            if kind != "source"
        )

    def read_evidence(self, id: str, start: int = 0, length: int = 0) -> str:
        """A page of one piece."""
        if id not in self.evidence:
            return f"{id} is not evidence of this run"
        kind, _, text = self.evidence[id]
        return _wrapped(id, kind, text.encode()[start : start + (length or self.page)].decode())

    def read_source(self, path: str, first: int = 1, count: int = 200) -> str:
        """Lines of a file, which become evidence by being read."""
        file = self.folder / path
        if not file.is_file():
            return f"there is no {path}"
        lines = file.read_text().splitlines()[first - 1 : first - 1 + count]
        if self.numbered:
            lines = [f"{number:>5}  {line}" for number, line in enumerate(lines, start=first)]
        return self._new("source", path, "\n".join(lines))

    def search_source(self, text: str) -> str:
        """Lines that hold a text, as `path:line: text`."""
        hits = [
            f"{file.relative_to(self.folder)}:{number}: {line}"
            for file in sorted(self.folder.rglob("*.py"))
            for number, line in enumerate(file.read_text().splitlines(), start=1)
            if text in line
        ]
        return self._new("source", text, "\n".join(hits))

    def try_patch(self, diff: str = "", edits: list[dict[str, str]] | None = None) -> str:
        """Whether the tests are green with a change; the change does not stay."""
        assert self.check is not None
        before = {file: file.read_text() for file in self.folder.rglob("*.py")}
        try:
            for one in edits or ():
                file = self.folder / one["path"]
                if file.read_text().count(one["search"]) != 1:
                    return "refused: the text to search is not there exactly once"
                file.write_text(file.read_text().replace(one["search"], one["replace"]))
            if diff:
                done = subprocess.run(
                    ["git", "apply", "-"],
                    cwd=self.folder,
                    input=diff,
                    text=True,
                    capture_output=True,
                    check=False,
                )
                if done.returncode:
                    return f"refused: {done.stderr}"
            return "green\n1 passed" if self.check(self.folder) else "red\n1 failed"
        finally:
            for file, text in before.items():
                file.write_text(text)

    def _new(self, kind: str, subject: str, text: str) -> str:
        id_ = f"E{100 + len(self.evidence)}"
        self.evidence[id_] = (kind, subject, text)
        return _wrapped(id_, kind, text)

    def resolves(self, cited: Mapping[str, Any]) -> bool:
        """Whether a citation is true."""
        data = self.evidence.get(cited["evidence"], ("", "", ""))[2].encode()
        quote = cited["quote"].encode()
        if cited["start"] >= 0:
            return bool(data[cited["start"] : cited["end"]] == quote)
        return bool(re.search(re.escape(quote), data))


def _wrapped(id_: str, kind: str, text: str) -> str:
    return f'<evidence id="{id_}" kind="{kind}" tag="3f9a0c">\n{text}\n</evidence 3f9a0c>'
