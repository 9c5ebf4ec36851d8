"""Python's own word on what this process starts and signals, right before it happens: a witness nobody can bypass."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["audited"]

Listener = Callable[[str, tuple[object, ...]], None]

_EVENTS = ("subprocess.Popen", "os.kill", "os.killpg")
_listeners: list[Listener] = []
_hooked: list[bool] = []


def _hook(event: str, args: tuple[object, ...]) -> None:
    if event in _EVENTS:
        for listener in _listeners:
            listener(event, args)


@contextmanager
def audited(listener: Listener) -> Iterator[None]:
    """In this block `listener` hears of every start of a program and every signal, with Python's arguments."""
    if not _hooked:
        sys.addaudithook(_hook)  # cannot be taken away again
        _hooked.append(True)
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
