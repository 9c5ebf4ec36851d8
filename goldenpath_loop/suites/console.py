"""Finds the line that says why, in what a test runner printed."""

from __future__ import annotations

import re

__all__ = ["exception_in", "last_lines", "stack_frames", "why_not_started"]

_MAX_CHARS = 300
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

# The most telling first. Each is looked for in the whole text before the next.
_TELLING = (
    re.compile(r"No module named pytest\b"),
    re.compile(r"^[\w./ -]+: error: .+"),
    re.compile(r"^ImportError while loading conftest .*"),
    re.compile(r"^ERROR: (?!usage: ).+"),
    re.compile(r"^(?:pytest\.)?(?:UsageError|PytestConfigWarning|ConftestImportFailure).*"),
    re.compile(r"^INTERNALERROR> +(?:[A-Za-z_][\w.]*(?:Error|Exception|Warning|Exit)\b.*)"),
    re.compile(r"^Exit: .+|^!+ .*Exit: .+"),
    re.compile(r"^E   +.+"),
    re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Warning): .+"),
)
_RAISED = re.compile(
    r"^(?:E +)?((?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Warning|Interrupt|Exit|Failed|Timeout))(?::|$)"
    r"|^E +assert ",
    re.MULTILINE,
)
_STACK_LINE = re.compile(r'^  File "(?P<path>[^"]+)", line (?P<line>[0-9]+) in (?P<function>.+)$')


def why_not_started(output: str, *, python: str = "") -> str:
    """The line that says why a run did not start, or what it means; empty when nothing was printed."""
    lines = [line.strip("\r") for line in _ANSI.sub("", output).split("\n")]
    for pattern in _TELLING:
        for position, line in enumerate(lines):
            if not pattern.search(line):
                continue
            if pattern is _TELLING[0]:
                return f"pytest is not installed for {python or 'that interpreter'}: install it there"
            return _short(_with_cause(line, lines[position + 1 :]))
    return _short(next((line for line in reversed(lines) if line.strip()), ""))


def exception_in(output: str) -> str:
    """Type of the exception by which a Python program or test runner says that it failed; empty when none does.

    Of several the last one counts: those before it are its causes.
    """
    found = _RAISED.findall(_ANSI.sub("", output))
    return (found[-1] or "AssertionError").rpartition(".")[2] if found else ""


def last_lines(output: str, count: int = 3) -> str:
    """The last lines that are not empty, exactly as they stand there when they follow each other."""
    lines = output.split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    kept: list[str] = []
    while lines and lines[-1].strip() and len(kept) < count:
        kept.insert(0, lines.pop())
    return "\n".join(kept).strip()


def stack_frames(stacks: str) -> list[tuple[str, int, str]]:
    """Path, line and function, outermost first, of the interrupted thread in what faulthandler wrote."""
    found: list[tuple[str, int, str]] = []
    is_current = False
    for line in stacks.split("\n"):
        if line.startswith(("Current thread", "Thread", "Stack")):
            is_current = line.startswith(("Current thread", "Stack"))
            continue
        if is_current and (match := _STACK_LINE.match(line)):
            found.append((match["path"], int(match["line"]), match["function"]))
    return found[::-1]


def _with_cause(line: str, following: list[str]) -> str:
    if not line.startswith("ImportError while loading conftest"):
        return line
    cause = next((one for one in reversed(following) if one.startswith("E   ")), "")
    return f"{line} {cause[1:].strip()}" if cause else line


def _short(line: str) -> str:
    text = line.removeprefix("INTERNALERROR>").removeprefix("E  ").strip().strip("!").strip()
    return text if len(text) <= _MAX_CHARS else text[: _MAX_CHARS - 3] + "..."
