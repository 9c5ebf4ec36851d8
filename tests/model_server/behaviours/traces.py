"""What reports of failures say: tracebacks in logs, and the words of a red test."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property

__all__ = ["Frame", "RedTest", "Trace", "fits", "is_test_path", "red_test", "tracebacks", "words_in"]

_FILE = re.compile(r'^[\s|]*File "(?P<path>[^"]+)", line (?P<line>\d+), in (?P<function>.+?)\s*$')
_ERROR = re.compile(r"^[\s|]*(?P<name>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?$")
_FOREIGN = re.compile(r"site-packages|dist-packages|<frozen|/lib/python3|^<")
_SERVER_SIDE = re.compile(r"\b5\d\d\b|server error|disconnect|connection closed|reset by peer", re.IGNORECASE)
_FRAME = re.compile(r"^\s*(?P<path>[\w./-]+\.py):(?P<line>\d+):\s*(?:in )?(?P<function>\w+)", re.MULTILINE)
_COMMON = {
    "test",
    "tests",
    "self",
    "python",
    "file",
    "line",
    "error",
    "traceback",
    "most",
    "recent",
    "call",
    "last",
}


@dataclass(frozen=True)
class Frame:
    """One frame of a call stack; the path as the report writes it."""

    path: str
    line: int
    function: str
    code: str = ""

    @property
    def is_foreign(self) -> bool:
        """Whether it lies in an interpreter or a library."""
        return _FOREIGN.search(self.path) is not None


@dataclass(frozen=True)
class Trace:
    """A traceback: its frames, outermost first, and the line that names the exception."""

    evidence: str
    frames: tuple[Frame, ...]
    error: str
    text: str

    @property
    def name(self) -> str:
        """Class of the exception."""
        return self.error.partition(":")[0].rpartition(".")[2].strip()

    @property
    def message(self) -> str:
        """What the exception says."""
        return self.error.partition(": ")[2]

    @property
    def own(self) -> tuple[Frame, ...]:
        """Frames in the project's own code."""
        return tuple(one for one in self.frames if not one.is_foreign)


@dataclass(frozen=True)
class RedTest:
    """What a red test said about itself."""

    evidence: str
    id: str
    text: str
    exception: str
    symptom: str
    """A line of the evidence that says what was wrong."""
    frames: tuple[Frame, ...] = field(default=())

    @property
    def own(self) -> tuple[Frame, ...]:
        """Frames outside of tests and libraries, outermost first."""
        return tuple(one for one in self.frames if not one.is_foreign and not is_test_path(one.path))

    @cached_property
    def called(self) -> list[str]:
        """Names of functions that the line which failed calls."""
        failed = "\n".join(re.findall(r"^> .*$", self.text, re.MULTILINE))
        return list(dict.fromkeys(re.findall(r"(?<![\w.])([a-z_]\w{2,})\(", failed)))

    @cached_property
    def literals(self) -> list[str]:
        """Strings that stand in the shown body of the test, and in its message."""
        found = re.findall(r"(\"[^\"\n]{2,80}\"|'[^'\n]{2,80}')", self.text)
        values = []
        for one in found:
            try:
                value = ast.literal_eval(one)
            except (SyntaxError, ValueError):
                continue
            values.append(value.partition("{")[0].rstrip("/") or value)
        return list(dict.fromkeys(value for value in values if len(value) > 2))


def is_test_path(path: str) -> bool:
    """Whether a path belongs to tests, which no repair may touch."""
    name = path.rpartition("/")[2]
    return bool(re.search(r"(^|/)tests?/", path)) or name.startswith("test_") or name == "conftest.py"


def tracebacks(evidence: str, text: str) -> list[Trace]:
    """Every traceback of `text` that names an exception."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if "Traceback (most recent call last)" in line]
    traces = []
    for start in starts:
        frames: list[Frame] = []
        for number in range(start + 1, len(lines)):
            line = lines[number]
            match = _FILE.match(line)
            if match:
                code = lines[number + 1].strip(" |") if number + 1 < len(lines) else ""
                code = "" if code.startswith('File "') else code
                frames.append(Frame(match["path"], int(match["line"]), match["function"], code))
            elif line[:1] not in (" ", "|", "\t", "") and _ERROR.match(line) and frames:
                body = "\n".join(lines[start : number + 1])
                traces.append(Trace(evidence, tuple(frames), line.strip(" |"), body))
                break
            elif line[:1] not in (" ", "|", "\t", "+", ""):
                break
    return traces


def red_test(evidence: str, text: str) -> RedTest | None:
    """What a test result says, if it is red."""
    outcome = re.search(r"^outcome: (\w+)", text, re.MULTILINE)
    if outcome and outcome[1] in ("green", "passed", "skipped", "not_run"):
        return None
    if not outcome and not re.search(r"\b(?:Error|Exception|FAILED|assert)\b|\w+Error\b", text):
        return None
    name = re.search(r"^test: (.+)$", text, re.MULTILINE)
    exception = re.search(r"^exception: (.+)$", text, re.MULTILINE)
    message = re.search(r"^--- message ---\n+(?:\s*\n)*(.+)$", text, re.MULTILINE)
    shown = re.search(r"^E +(\S.{2,})$", text, re.MULTILINE)
    symptom = next((one[1] for one in (message, shown, exception) if one and len(one[1].strip()) > 3), "")
    if not symptom:
        symptom = next((line for line in text.splitlines() if len(line.strip()) > 3), "")
    listed = text.partition("--- frames ---")[2].partition("\n---")[0]
    frames = tuple(
        Frame(one["path"], int(one["line"]), one["function"]) for one in _FRAME.finditer(listed or text)
    )
    id_ = name[1] if name else evidence
    return RedTest(evidence, id_, text, exception[1] if exception else "", symptom.strip(), frames)


def words_in(text: str) -> set[str]:
    """Words that tell one text from another."""
    parts = re.findall(r"[A-Za-z]{4,}", text)
    return {part.lower() for part in parts} - _COMMON


def fits(trace: Trace, test: RedTest) -> int:
    """How much speaks for the traceback being behind the red test; 0 for nothing."""
    if trace.name and trace.name in test.text:
        return 50
    named = " ".join(f"{one.path.rpartition('/')[2]} {one.function}" for one in trace.own)
    shared = len(words_in(f"{named} {trace.message}") & words_in(test.text))
    return shared + (1 if _SERVER_SIDE.search(test.text) else 0)
