"""How a plan gets at text: evidence page by page, files of the tree, hits of a search."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.model_server.conversation import Conversation, Listed, envelopes_in, listed_in
from tests.model_server.plan import Ask

__all__ = ["Hit", "SourceFile", "find_in_source", "known_evidence", "read_evidence", "read_sources"]

_PAGE = 6000
_LINES = 200
_NUMBERED = re.compile(r"^\s*(\d+)(?:[:|\t]| {1,2}|$)[ ]?(.*)$")
_HIT = re.compile(r"^\s*(?P<path>[\w./-]+\.\w+):(?P<line>\d+):?[ \t]?(?P<text>.*)$", re.MULTILINE)

Asking = Generator[Ask, list[str], Any]


@dataclass(frozen=True)
class Hit:
    """A line of the tree that has a text."""

    path: str
    line: int
    text: str


@dataclass
class SourceFile:
    """A file as it was read, and which evidence showed which of its lines."""

    path: str
    lines: list[str] = field(default_factory=list)
    shown: list[tuple[str, str]] = field(default_factory=list)
    """Evidence ids with the text that stands in them."""

    @property
    def text(self) -> str:
        """The whole file."""
        return "".join(f"{line}\n" for line in self.lines)

    def evidence_for(self, quote: str) -> str:
        """Id of evidence that holds `quote`; empty when none does."""
        return next((id_ for id_, text in self.shown if quote in text), "")


def known_evidence(conversation: Conversation) -> Generator[Ask, list[str], list[Listed]]:
    """What evidence there is: the brief's list, or the tool's when the brief has none."""
    brief = listed_in(conversation.brief)
    if brief:
        return brief
    (listing,) = yield [("list_evidence", {})]
    return listed_in(listing)


def read_evidence(
    wanted: Iterable[Listed], conversation: Conversation, *, pages: int = 5
) -> Generator[Ask, list[str], dict[str, str]]:
    """Text of each piece of evidence, by id; its beginning only when it is very long."""
    sizes = {one.id: one.size for one in wanted}
    texts = {id_: "" for id_ in sizes}
    for one in conversation.envelopes:
        is_whole = not one.attributes.get("start", "0").strip("0")
        if is_whole and one.id in texts and len(one.text.encode()) + 1 >= sizes[one.id]:
            texts[one.id] = one.text
    starts = {id_: 0 for id_ in texts if not texts[id_]}
    for _ in range(pages):
        if not starts:
            break
        asked = [
            ("read_evidence", {"id": id_, "start": start} if start else {"id": id_})
            for id_, start in starts.items()
        ]
        for (id_, start), said in zip(list(starts.items()), (yield asked), strict=True):
            page = next((one.text for one in envelopes_in(said) if one.id == id_), "")
            if len(page) == _PAGE - 1:
                page += "\n"
            texts[id_] += page
            starts[id_] = start + len(page.encode())
            if not page or starts[id_] + 1 >= sizes[id_]:
                del starts[id_]
    return texts


def read_sources(paths: Sequence[str], *, pages: int = 4) -> Generator[Ask, list[str], dict[str, SourceFile]]:
    """Whole files of the tree; those that are not there are left out."""
    files = {path: SourceFile(path) for path in dict.fromkeys(paths)}
    going_on = list(files)
    for page in range(pages):
        if not going_on:
            break
        first = page * _LINES + 1
        asked = [
            ("read_source", {"path": path, "first": first, "count": _LINES} if page else {"path": path})
            for path in going_on
        ]
        for path, said in zip(list(going_on), (yield asked), strict=True):
            shown = envelopes_in(said)
            lines = _plain(shown[0].text.splitlines(), first) if shown else []
            if shown:
                files[path].lines += lines
                files[path].shown.append((shown[0].id, shown[0].text))
            if len(lines) < _LINES:
                going_on.remove(path)
    return {path: one for path, one in files.items() if one.lines}


def _plain(lines: list[str], first: int) -> list[str]:
    """Lines without the numbers before them, if there are any."""
    matches = [_NUMBERED.match(line) for line in lines]
    numbers = [int(match[1]) for match in matches if match]
    if len(numbers) == len(lines) and numbers == list(range(first, first + len(lines))):
        return [match[2] for match in matches if match]
    return lines


def find_in_source(texts: Sequence[str]) -> Generator[Ask, list[str], dict[str, list[Hit]]]:
    """Lines of the tree that have each of the texts."""
    wanted = list(dict.fromkeys(texts))
    said = (yield [("search_source", {"text": text}) for text in wanted]) if wanted else []
    found = {}
    for text, answer in zip(wanted, said, strict=True):
        bodies = [one.text for one in envelopes_in(answer)] or [answer]
        found[text] = [
            Hit(one["path"], int(one["line"]), one["text"]) for body in bodies for one in _HIT.finditer(body)
        ]
    return found
