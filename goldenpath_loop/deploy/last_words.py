"""What a service's log says about its end. Pure."""

from __future__ import annotations

import re
import signal

from goldenpath_loop.system.plain import plain

__all__ = ["NOTHING_SAID", "ending", "is_address_in_use", "last_words", "log_text"]

NOTHING_SAID = "[it printed nothing]"
_EARLIER = "[earlier output is not shown]"
_MAX_CHARS = 300_000
_LOOKED_BACK = 5
_EXCEPTION = re.compile(r"(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Exit|Interrupt)\b(?::.*)?")
_ADDRESS_IN_USE = re.compile(r"address (?:is )?already in use|EADDRINUSE", re.I)


def log_text(data: bytes, *, cut: bool = False) -> str:
    """A log's bytes as text to store: readable, nothing acting on a terminal.

    Args:
        data: What the service printed.
        cut: Whether `data` starts in the middle; its first, broken line is left out and that is said.
    """
    if cut:
        data = data.partition(b"\n")[2]
    text = plain(data.decode(errors="replace"), max_chars=_MAX_CHARS)
    if not text.strip():
        text = NOTHING_SAID
    lead = f"{_EARLIER}\n" if cut else ""
    return f"{lead}{text.rstrip()}\n"


def last_words(text: str) -> str:
    """The line of a log that most likely says why it ends there, verbatim; empty when there is no line.

    An exception's own line near the end beats the framework's good-bye below it.
    """
    lines = [line for line in text.split("\n") if any(map(str.isalnum, line))]
    for line in reversed(lines[-_LOOKED_BACK:]):
        if _EXCEPTION.match(line):
            return line
    return lines[-1] if lines else ""


def is_address_in_use(text: str) -> bool:
    """Whether a log complains that its port is taken."""
    return _ADDRESS_IN_USE.search(text) is not None


def ending(exit_code: int) -> str:
    """An exit code in words: `exited with 78`, `was killed by SIGKILL`."""
    if exit_code >= 0:
        return f"exited with {exit_code}"
    try:
        return f"was killed by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was killed by signal {-exit_code}"
