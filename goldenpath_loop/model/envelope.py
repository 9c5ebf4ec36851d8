"""Puts material before a model so that it can neither end its own envelope nor hide what it says."""

from __future__ import annotations

import hashlib
import re

__all__ = ["envelope", "neutral"]

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")


def neutral(text: str) -> str:
    """`text` without terminal sequences; other control, bidirectional and invisible characters become visible."""
    text = _ANSI.sub("", text.replace("\r\n", "\n"))
    text = _CONTROL.sub(lambda found: f"<U+{ord(found.group()):04X}>", text)
    return _INVISIBLE.sub(lambda found: f"<U+{ord(found.group()):04X}>", text)


def envelope(text: str, *, kind: str, id: str = "") -> str:
    """`text` between two lines that name the hash of what stands between them, which no payload can hold of itself.

    Args:
        text: What somebody else wrote.
        kind: What it is: a kind of evidence, or the tool that returned it.
        id: Name of the evidence, where it is one.
    """
    inner = neutral(text)
    tag = hashlib.sha256(inner.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    named = f'id="{id}" ' if id else ""
    return f'<evidence {named}kind="{kind}" tag="{tag}">\n{inner}\n</evidence {tag}>'
