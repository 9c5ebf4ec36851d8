"""The brief of an agent in a few lines: its headings, how long each part is, and which evidence was put before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Part", "headline_of", "outline", "without_envelope"]

_HEADING = re.compile(r"#{1,6} \S.*")
_OPENED = re.compile(r'<evidence (?:id="(?P<id>[^"]*)" )?kind="(?P<kind>[^"]*)" tag="(?P<tag>[0-9a-f]+)">')
_QUOTES, _ENDS_QUOTES = "<<<", ">>>"


@dataclass(frozen=True, slots=True)
class Part:
    """What stands between one heading and the next."""

    heading: str
    chars: int
    evidence: tuple[str, ...] = ()


def outline(brief: str) -> tuple[Part, ...]:
    """The parts of a brief; what others wrote has no headings, whatever it looks like."""
    parts: list[tuple[str, list[str], list[str]]] = [("", [], [])]
    tag, is_quoted = "", False
    for line in brief.splitlines():
        opened = _OPENED.fullmatch(line)
        if tag:
            tag = "" if line == f"</evidence {tag}>" else tag
        elif opened is not None:
            tag = opened["tag"]
            if opened["id"]:
                parts[-1][2].append(opened["id"])
        elif line in (_QUOTES, _ENDS_QUOTES):
            is_quoted = line == _QUOTES
        elif not is_quoted and _HEADING.fullmatch(line):
            parts.append((line, [], []))
            continue
        parts[-1][1].append(line)
    found = (Part(heading, len("\n".join(body).strip()), tuple(ids)) for heading, body, ids in parts)
    return tuple(part for part in found if part.heading or part.chars)


def headline_of(result: str) -> str:
    """What a tool returned, by the head of its envelope: `E17 service_log`; empty without one."""
    opened = _OPENED.fullmatch(result.split("\n", 1)[0])
    return " ".join(word for word in (opened["id"], opened["kind"]) if word) if opened else ""


def without_envelope(result: str) -> str:
    """The text within an envelope and what the tool said after it; text without one as it is."""
    return "\n".join(_inner(result.split("\n")))


def _inner(lines: list[str]) -> Iterator[str]:
    tag = ""
    for line in lines:
        opened = _OPENED.fullmatch(line)
        if not tag and opened is not None:
            tag = opened["tag"]
        elif tag and line == f"</evidence {tag}>":
            tag = ""
        else:
            yield line
