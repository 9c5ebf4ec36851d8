"""Where a text stands in transcripts, with the lines around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.text import Text

from goldenpath_loop.records.base import Record
from goldenpath_loop.review.conversation import call_words, pretty, safe_lines

__all__ = ["Passage", "passage_text", "passages"]

_AROUND = 1
_BEFORE_CHARS, _AFTER_CHARS = 60, 120


class Passage(Record):
    """One matching line of one message."""

    message: int
    """Number of the transcript's line, from 1."""
    part: str
    """Who said it: `brief`, `reply`, `result of read_evidence(id="E17")`."""
    line: int
    """Number of the line within the message's text."""
    before: tuple[str, ...] = ()
    text: str
    after: tuple[str, ...] = ()


def passages(lines: Iterable[Mapping[str, Any]], wanted: str) -> Iterator[Passage]:
    """Every line that holds `wanted`, capitals or not, in the order of the conversation."""
    sought = wanted.casefold()
    for message, line in enumerate(lines, start=1):
        for part, text in _parts(line):
            said = safe_lines(text)
            for at, one in enumerate(said):
                if sought in one.casefold():
                    yield Passage(
                        message=message,
                        part=part,
                        line=at + 1,
                        before=tuple(said[max(0, at - _AROUND) : at]),
                        text=one,
                        after=tuple(said[at + 1 : at + 1 + _AROUND]),
                    )


def passage_text(passage: Passage, wanted: str) -> Iterator[Text]:
    """A passage as it is printed, its match set off; long lines are cut around it."""
    (part,) = safe_lines(passage.part)[:1]
    yield Text(f"  message {passage.message}, {part}, line {passage.line}", style="dim")
    yield from (Text(f"      {_cut(one, 0)}", style="dim") for one in passage.before)
    at = passage.text.casefold().find(wanted.casefold())
    text = Text("    > ", style="bold").append(_cut(passage.text, at), style="not bold")
    text.highlight_words([wanted], style="bold yellow", case_sensitive=False)
    yield text
    yield from (Text(f"      {_cut(one, 0)}", style="dim") for one in passage.after)


def _parts(line: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    match line:
        case {"type": "brief"}:
            yield "system", _text(line.get("system"))
            yield "brief", _text(line.get("brief"))
        case {"type": "reply"}:
            yield "reply", pretty(_text(line.get("text")))
            for call in line.get("calls") or ():
                if isinstance(call, dict):
                    yield f"call of {call.get('name')}", call_words(call, full=True)
        case {"type": "tool"}:
            yield f"result of {call_words(line, full=False)}", _text(line.get("result"))
        case {"type": "rejected"}:
            yield "gate", "\n".join(map(str, line.get("reasons") or ()))
        case {"type": "fault"}:
            yield "no answer", _text(line.get("message"))
        case {"type": "told"}:
            yield "loop", _text(line.get("text"))
        case {"type": "put_off"}:
            yield "loop", _text(line.get("reason"))
        case {"type": "end"}:
            yield "end", _text(line.get("problem"))
        case _:
            return


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _cut(line: str, at: int) -> str:
    start = max(0, at - _BEFORE_CHARS)
    shown = line[start : start + _BEFORE_CHARS + _AFTER_CHARS]
    return ("[...] " if start else "") + shown + (" [...]" if start + len(shown) < len(line) else "")
