"""A line of the session log, named by its hash where others can see it: a log that ends before it was cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Pin", "pin_words", "pins_in"]

_PIN = re.compile(r"Run `([^`\n]+)`, session log up to line ([0-9]+): `([0-9a-f]{64})`")


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of one log."""

    run: str
    seq: int
    digest: str
    """SHA-256 of the line without its newline."""


def pin_words(pin: Pin) -> str:
    """The sentence that names the line."""
    return f"Run `{pin.run}`, session log up to line {pin.seq}: `{pin.digest}`"


def pins_in(text: str) -> Iterator[Pin]:
    """Every such sentence of a text."""
    return (Pin(run, int(seq), digest) for run, seq, digest in _PIN.findall(text))
