"""Takes secrets out of everything before it reaches the disk: known values first, then well-known shapes."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from goldenpath_loop.session.vocabulary import own_words

__all__ = ["Redactor"]

_MIN_SECRET_CHARS = 6
_SHAPES = (
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}"),
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}\b"),
    re.compile(r"\bgithub_pat_[A-Za-z0-9_]{20,}\b"),
    re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"),
    re.compile(r"\bgl(?:pat|ptt|rt)-[A-Za-z0-9_-]{20,}"),
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    re.compile(r"(?i)(?<=aws_secret_access_key)[\"']?\s*[=:]\s*[\"']?[A-Za-z0-9/+]{40}"),
    re.compile(r"\bAIza[0-9A-Za-z_-]{35}"),
    re.compile(r"\bya29\.[0-9A-Za-z_-]{20,}"),
    re.compile(r"(?<=AccountKey=)[A-Za-z0-9+/]{40,}={0,2}"),
    re.compile(r"(?<=https://hooks\.slack\.com/services/)[A-Za-z0-9/]{20,}"),
    re.compile(r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    re.compile(r"\b(?:npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{40,})"),
    re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----"),
    re.compile(r"(?i)(?<=authorization: )(?:bearer|basic|token) [^\s\"']+"),
    re.compile(r"(?i)(?<=cookie: )[^\r\n]+"),
    re.compile(r"(?i)(?<=cookie\": \")[^\"\r\n]+"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s:@]+(?=@)"),
)
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MASK = "[redacted]"
_URL_SAFE = str.maketrans("+/", "-_")


class Redactor:
    """Replaces secrets by a mark.

    Args:
        secrets: Values that must never be stored, as configured; also found where they are encoded in base64, in
            a URL or in JSON. What is shorter than six characters, or part of a name that stands in every log
            anyway, is no secret.
        names: Names that the configuration gives to things.
    """

    def __init__(self, secrets: Iterable[str] = (), *, names: Iterable[str] = ()) -> None:
        long = {secret for secret in secrets if len(secret) >= _MIN_SECRET_CHARS}
        spared = {*own_words(), *names} if long else set()
        known = {
            form for secret in long if not any(secret in name for name in spared) for form in _forms(secret)
        }
        ordered = sorted(known, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    mark = _MASK
    """What stands in the place of a secret."""

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

    def record(self, payload: Any) -> Any:
        """A JSON value without secrets: the text of every string in it is looked at, its structure never."""
        if not self.text("\n".join(_strings(payload)))[1]:
            return payload
        return self._without(payload)

    def _without(self, value: Any) -> Any:
        if isinstance(value, str):
            # A digest is no text: what looks like a secret inside of one is chance.
            return value if _DIGEST.fullmatch(value) else self.text(value)[0]
        if isinstance(value, dict):
            return {key: self._without(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._without(item) for item in value]
        return value


def _forms(secret: str) -> Iterator[str]:
    """The secret, and how it looks inside of what it is commonly packed into."""
    yield secret
    yield from (quote(secret), quote(secret, safe=""), quote_plus(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    data = secret.encode()
    for before in range(3):
        # Where it stands in a longer text decides on its base64; the characters at both ends hold bits of others.
        packed = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        first = (before * 8 + 5) // 6
        last = len(packed) if (before + len(data)) % 3 == 0 else len(packed) - 1
        inner = packed[first:last]
        if len(inner) >= _MIN_SECRET_CHARS:
            yield from (inner, inner.translate(_URL_SAFE))
        if not before:
            yield from (packed, packed.translate(_URL_SAFE))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
