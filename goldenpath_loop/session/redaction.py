"""Takes secrets out of everything before it reaches the disk: known values first, then well-known shapes."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote

__all__ = ["Redactor"]

_MIN_SECRET_CHARS = 6
_SHAPES = (
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}"),
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}\b"),
    re.compile(r"\bgithub_pat_[A-Za-z0-9_]{20,}\b"),
    re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"),
    re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----"),
    re.compile(r"(?i)(?<=authorization: )(?:bearer|basic|token) [^\s\"']+"),
    re.compile(r"(?i)(?<=cookie: )[^\r\n]+"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s:@]+(?=@)"),
)
_MASK = "[redacted]"


class Redactor:
    """Replaces secrets by a mark.

    Args:
        secrets: Values that must never be stored, as configured; also found base64- and URL-encoded.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known: set[str] = set()
        for secret in secrets:
            if len(secret) >= _MIN_SECRET_CHARS:
                encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
                known.update((secret, encoded, quote(secret, safe="")))
        ordered = sorted(known, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> tuple[str, int]:
        """`text` without secrets, and how many were taken out."""
        count = 0
        if self._known is not None:
            text, count = self._known.subn(_MASK, text)
        for shape in _SHAPES:
            text, found = shape.subn(_MASK, text)
            count += found
        return text, count

    def data(self, data: bytes) -> tuple[bytes, int]:
        """`data` without secrets; bytes that are not UTF-8 pass through unharmed."""
        text, count = self.text(data.decode("utf-8", "surrogateescape"))
        return (text.encode("utf-8", "surrogateescape"), count) if count else (data, 0)
