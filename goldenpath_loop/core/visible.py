"""What other people's text looks like once nothing in it acts or hides: agents are shown this, so quotes say this."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from itertools import accumulate

__all__ = ["Seen", "legible", "neutral", "seen"]

_SEQUENCE = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\r\n]*(?:\x07|\x1b\\)?|[@-Z\\-_])"
"""Terminal sequences end with their line: one that is never closed must not swallow what stands below it."""
_TEXT_SEQUENCE = re.compile(_SEQUENCE)
_BYTE_SEQUENCE = re.compile(_SEQUENCE.encode())
_ACTING = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Control, bidirectional and invisible characters, line ends that are none, halves of characters."""


def neutral(text: str) -> str:
    """`text` without terminal sequences; what else acts or cannot be seen is spelled out as `<U+200B>`."""
    text = _TEXT_SEQUENCE.sub("", text.replace("\r\n", "\n"))
    return _ACTING.sub(lambda found: f"<U+{ord(found.group()):04X}>", text)


def legible(text: str) -> str:
    """What of `text` a person can see: no sequences, no acting or invisible characters, no space."""
    return "".join(_ACTING.sub("", _TEXT_SEQUENCE.sub("", text)).split())


class Seen:
    """Stored bytes without their terminal sequences, and where in the stored bytes a place of them is.

    Args:
        data: The stored bytes.
    """

    def __init__(self, data: bytes) -> None:
        gaps = [found.span() for found in _BYTE_SEQUENCE.finditer(data)] if b"\x1b" in data else []
        self.data = _BYTE_SEQUENCE.sub(b"", data) if gaps else data
        # After how many bytes that remain each gap stands, and how much went with it and those before.
        self._gone = [0, *accumulate(end - start for start, end in gaps)]
        self._at = [start - gone for (start, _), gone in zip(gaps, self._gone, strict=False)]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where what remains from `start` to `end` stands in the stored bytes."""
        return start + self._gone[bisect_right(self._at, start)], end + self._gone[bisect_left(self._at, end)]


def seen(quote: str) -> re.Pattern[bytes]:
    """What in bytes without terminal sequences a reader may have quoted as `quote`; only line ends may differ."""
    plain = _TEXT_SEQUENCE.sub("", quote).replace("\r\n", "\n")
    parts = re.split(r"(\n|<U\+[0-9A-F]{4,6}>)", plain)
    return re.compile(b"".join(_piece(part) for part in parts))


def _piece(part: str) -> bytes:
    if part == "\n":
        return rb"\r?\n"
    literal = re.escape(part.encode("utf-8", "surrogatepass"))
    if not part.startswith("<U+"):
        return literal
    code = int(part[3:-1], 16)
    if code > 0x10FFFF:
        return literal
    return b"(?:" + literal + b"|" + re.escape(chr(code).encode("utf-8", "surrogatepass")) + b")"
