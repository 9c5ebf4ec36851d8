"""One transcript as a person reads it: who said what, at what cost, and what the gate thought of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.text import Text

from goldenpath_loop.review.outline import headline_of, outline, without_envelope
from goldenpath_loop.review.wording import amount, percent, price, short
from goldenpath_loop.system.plain import plain, plain_line

__all__ = ["Conversation", "call_words", "pretty", "safe_lines"]

_RESULT_LINES = 3
_TOLD_LINES = 4
_LINE_CHARS = 160
_ARGUMENT_CHARS = 80
_INDENT = " " * 11
_STYLES = {
    "brief": "bold cyan",
    "reply": "bold green",
    "tool": "bold blue",
    "told": "bold cyan",
    "put aside": "bold cyan",
    "put off": "bold cyan",
    "rejected": "bold yellow",
    "fault": "bold red",
}


class Conversation:
    """Tells the lines of one transcript one after the other, as they come.

    Args:
        full: Show briefs, arguments and results whole instead of their beginnings.
    """

    def __init__(self, *, full: bool = False) -> None:
        self._full = full
        self._began: datetime | None = None
        self._agent = "agent"
        self._turn = 0
        self._tokens: Mapping[str, Any] = {}
        self._calls: dict[str, str] = {}

    def tell(self, line: Mapping[str, Any]) -> Iterator[Text]:
        """What one line says. Nothing in it acts on a terminal."""
        at = _moment(line.get("at"))
        self._began = self._began or at
        match line.get("type"):
            case "brief":
                told = self._brief(line)
            case "reply":
                told = self._reply(line)
            case "tool":
                told = self._tool(line)
            case "told":
                told = self._told(line)
            case "put_aside":
                told = self._put_aside(line)
            case "rejected":
                told = self._rejected(line)
            case "fault":
                told = self._fault(line)
            case "put_off":
                told = iter(
                    [self._head("put off", f"is held again later: {_words(line, 'reason')}", name="loop")]
                )
            case "end":
                told = self._end(line)
            case kind:
                told = iter([self._head(str(kind), ""), *self._block(json.dumps(line), _TOLD_LINES)])
        yield from self._timed(told, at)

    def _timed(self, told: Iterator[Text], at: datetime | None) -> Iterator[Text]:
        """The first line gets its time, in seconds since the conversation began."""
        since = f"{(at - self._began).total_seconds():.2f} s" if at and self._began else ""
        for number, text in enumerate(told):
            yield Text(f"{since:>9}  " if number == 0 else _INDENT, style="dim").append_text(text)

    def _brief(self, line: Mapping[str, Any]) -> Iterator[Text]:
        self._agent = _words(line, "agent") or "agent"
        system, brief = _words(line, "system"), _words(line, "brief")
        about = f"{self._agent} about {_words(line, 'subject')} on {short(_words(line, 'revision'))}"
        yield self._head("brief", f"for {about}, model {_words(line, 'model')}, {_size(brief)}")
        tools = [str(one) for one in _list(line, "tools")]
        yield _body(f"tools: {', '.join(tools) or 'none'}", style="dim")
        if self._full:
            yield _body("system:", style="dim")
            yield from self._block(system, 0)
            yield _body("brief:", style="dim")
            yield from self._block(brief, 0)
            return
        yield from (_body(f"system: {one}", style="dim") for one in _cut(system, 1))
        for part in outline(brief):
            opening = f", evidence {', '.join(part.evidence)}" if part.evidence else ""
            text = _body(part.heading or "(before the first heading)")
            yield text.append(f"  {part.chars:,} characters{_line(opening)}", style="dim")

    def _reply(self, line: Mapping[str, Any]) -> Iterator[Text]:
        self._turn += 1
        calls, text = _list(line, "calls"), _words(line, "text")
        finish = _words(line, "finish")
        ended = f", ended by {finish}" if finish not in ("stop", "tool_calls", "") else ""
        yield self._head("reply", f"turn {self._turn}{ended}{self._used(line)}", name=self._agent)
        if text.strip():
            yield from self._block(pretty(text), 0)
        for call in calls:
            said = call_words(call, full=self._full) if isinstance(call, Mapping) else str(call)
            if isinstance(call, Mapping):
                self._calls[str(call.get("id"))] = call_words(call, full=False)
            first, *rest = safe_lines(said)
            yield _body(f"calls {first}")
            yield from (_body(f"  {one}") for one in rest)
        if not text.strip() and not calls:
            yield _body("(nothing)", style="dim")

    def _tool(self, line: Mapping[str, Any]) -> Iterator[Text]:
        result = _words(line, "result")
        what = self._calls.get(_words(line, "id")) or call_words(line, full=False)
        inner = without_envelope(result)
        named = headline_of(result)
        yield self._head("tool", f"{what}: {f'{named}, ' if named else ''}{_size(inner)}")
        style = "red" if result.startswith(("error:", "refused:")) else "none"
        yield from self._block(inner, _RESULT_LINES, style=style)

    def _told(self, line: Mapping[str, Any]) -> Iterator[Text]:
        text = _words(line, "text")
        yield self._head("told", _size(text), name="loop")
        yield from self._block(text, _TOLD_LINES)

    def _put_aside(self, line: Mapping[str, Any]) -> Iterator[Text]:
        gone = [str(one) for one in _list(line, "results")]
        yield self._head("put aside", f"{amount(len(gone), 'result')} to save room", name="loop")
        yield from (_body(self._calls.get(one, one), style="dim") for one in gone)

    def _rejected(self, line: Mapping[str, Any]) -> Iterator[Text]:
        reasons = [str(one) for one in _list(line, "reasons")]
        yield self._head("rejected", f"refuses, for {amount(len(reasons), 'reason')}", name="gate")
        yield from (_body(f"- {one}", style="yellow") for one in reasons)

    def _fault(self, line: Mapping[str, Any]) -> Iterator[Text]:
        self._turn += 1
        kind = _words(line, "kind").replace("_", " ")
        yield self._head("fault", f"turn {self._turn}, {kind}{self._used(line)}", name="no answer")
        yield from self._block(_words(line, "message"), 0, style="red")

    def _end(self, line: Mapping[str, Any]) -> Iterator[Text]:
        turns, usage = _number(line, "turns"), _mapping(line, "usage")
        came = "answered" if line.get("answer") is not None else "inconclusive"
        tokens = _number(usage, "prompt_tokens") + _number(usage, "answer_tokens")
        share = _share(_number(usage, "cached_tokens"), _number(usage, "prompt_tokens"))
        words = f"{came} after {amount(int(turns), 'turn')}, {amount(int(tokens), 'token')}"
        words += f" ({percent(share)} of the prompts cached), ${price(_number(usage, 'cost_usd'))}"
        words += ", estimated" if usage.get("is_estimated") else ""
        yield self._head("end", words)
        problem = _words(line, "problem")
        if problem:
            yield _body(problem, style="yellow")

    def _used(self, line: Mapping[str, Any]) -> str:
        """Tokens and money of one turn; the transcript counts tokens from the beginning, so they are differences."""
        usage, before = _mapping(line, "usage"), self._tokens
        self._tokens = usage
        prompt, answer, cached = (
            _number(usage, name) - _number(before, name)
            for name in ("prompt_tokens", "answer_tokens", "cached_tokens")
        )
        words = f"; {prompt:,.0f} tokens in ({percent(_share(cached, prompt))} cached), {answer:,.0f} out"
        words += f", ${price(_number(line, 'cost_usd'))}, waited {_number(line, 'latency_s'):.2f} s"
        return words + (", estimated" if usage.get("is_estimated") else "")

    def _head(self, kind: str, words: str, *, name: str = "") -> Text:
        text = Text(_line(name or kind), style=_STYLES.get(kind, "bold"))
        return text.append(f"  {_line(words)}", style="not bold default")

    def _block(self, text: str, most: int, *, style: str = "none") -> Iterator[Text]:
        """`text` line by line; its first `most` lines when there are more and not all is to be shown."""
        lines = safe_lines(text) if self._full or not most else _cut(text, most)
        yield from (_body(one, style=style) for one in lines)


def _body(text: str, *, style: str = "none") -> Text:
    indent = len(text) - len(text.lstrip(" "))
    return Text(f"  {' ' * indent}{_line(text)}", style=style)


def _line(text: str) -> str:
    """One line that does nothing to a terminal, its blanks at both ends as they are."""
    inner = text.strip(" ")
    return plain_line(inner, max_chars=len(inner) + 1)


def safe_lines(text: str) -> list[str]:
    """`text` line by line, nothing in it acting on a terminal."""
    return plain(text, max_chars=len(text) + 1).expandtabs(4).strip("\n").split("\n")


def _cut(text: str, most: int) -> list[str]:
    """The first lines that say something, shortened, and how much more there is."""
    lines, shown = safe_lines(text), list[str]()
    for number, line in enumerate(lines):
        if len(shown) == most:
            return [*shown, f"[... {amount(len(lines) - number, 'more line')}]"]
        if line.strip():
            shown.append(line if len(line) <= _LINE_CHARS else f"{line[:_LINE_CHARS]} [...]")
    return shown


def _size(text: str) -> str:
    return f"{amount(len(text), 'character')}, {amount(len(text.splitlines()), 'line')}"


def pretty(text: str) -> str:
    """JSON with an indent, anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def call_words(call: Mapping[str, Any], *, full: bool) -> str:
    """`read_evidence(id="E17", start=6000)`; of long arguments the beginning unless all is wanted."""
    name, written = str(call.get("name")), str(call.get("arguments") or "")
    try:
        arguments = json.loads(written) if written else {}
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        return f"{name}({written if full else _shortened(written)})"
    if full and len(written) > _ARGUMENT_CHARS:
        return f"{name}({json.dumps(arguments, indent=2, ensure_ascii=False)})"
    values = (
        f"{key}={_shortened(json.dumps(value, ensure_ascii=False))}" for key, value in arguments.items()
    )
    return f"{name}({', '.join(values)})"


def _shortened(text: str) -> str:
    line = plain_line(text, max_chars=len(text) + 1)
    if len(line) <= _ARGUMENT_CHARS:
        return line
    return f"{line[:_ARGUMENT_CHARS]}[... {amount(len(line) - _ARGUMENT_CHARS, 'more character')}]"


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _moment(stamp: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(stamp)).astimezone()
    except (ValueError, OverflowError):
        return None


def _words(line: Mapping[str, Any], name: str) -> str:
    value = line.get(name)
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _number(line: Mapping[str, Any], name: str) -> float:
    value = line.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _list(line: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = line.get(name)
    return value if isinstance(value, list) else []


def _mapping(line: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = line.get(name)
    return value if isinstance(value, dict) else {}
