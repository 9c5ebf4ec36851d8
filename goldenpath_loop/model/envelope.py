"""Puts material before a model so that it can neither end its own envelope nor hide what it says."""

from __future__ import annotations

import hashlib

from goldenpath_loop.core.visible import neutral

__all__ = ["envelope", "neutral"]


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
