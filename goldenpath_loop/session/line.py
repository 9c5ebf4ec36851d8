"""One line of a session log, from an event to bytes and back."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from goldenpath_loop.records.events import AnyEvent
from goldenpath_loop.records.line import Line, UnknownEvent

__all__ = [
    "NOT_AN_EVENT",
    "encoded",
    "first_line_of",
    "link_of",
    "parsed",
    "parsed_of_any_version",
    "record_of",
]

NOT_AN_EVENT = (ValueError, KeyError, TypeError)
"""What bytes that are no event may raise when they are read as one; pydantic's own error is a ValueError."""

_ENVELOPE = re.compile(
    rb'\{"seq":([0-9]+),"at":"([^"\\]*)","type":"([a-z_.]+)","prev":"([0-9a-f]{64})","payload":'
)


def encoded(*, seq: int, at: str, kind: str, prev: str, payload: Any) -> bytes:
    """A line without its newline."""
    record = {"seq": seq, "at": at, "type": kind, "prev": prev, "payload": payload}
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def link_of(raw: bytes) -> tuple[int, str]:
    """Number of a line and the hash of the one before, without looking at its payload.

    Raises:
        ValueError: It has no envelope.
    """
    seq, _, _, prev, _ = _opened(raw)
    return seq, prev


def parsed(raw: bytes) -> Line:
    """The line whose bytes are `raw`.

    Raises:
        ValueError: It is no event, or one of a type that is not known.
    """
    seq, at, kind, prev, payload = _opened(raw)
    event_type = _types().get(kind)
    if event_type is None:
        raise ValueError(f"there is no event called {kind}")
    return Line(seq, at, prev, event_type.__pydantic_validator__.validate_json(payload))


def parsed_of_any_version(raw: bytes) -> Line:
    """The same for a log that a newer version wrote: what is not known stays as it stands.

    Raises:
        ValueError: It is no event of any version.
    """
    try:
        return parsed(raw)
    except NOT_AN_EVENT:
        seq, at, kind, prev, payload = _opened(raw)
        content = json.loads(payload)
        if not isinstance(content, dict):
            raise ValueError("its payload is no object") from None
        return Line(seq, at, prev, UnknownEvent(kind, content))


def record_of(line: Line) -> dict[str, Any]:
    """Envelope and payload as they stand in the log."""
    event = line.event
    if isinstance(event, UnknownEvent):
        name, payload = event.name, dict(event.payload)
    else:
        payload = event.model_dump(mode="json", by_alias=True)
        name = payload.pop("type", event.type)
    return {"seq": line.seq, "at": line.at, "type": name, "prev": line.prev, "payload": payload}


def first_line_of(error: Exception) -> str:
    """What went wrong, in one line."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _opened(raw: bytes) -> tuple[int, str, str, str, bytes]:
    envelope = _ENVELOPE.match(raw)
    if envelope is None or not raw.endswith(b"}"):
        raise ValueError("it has no envelope")
    seq, at, kind, prev = envelope.groups()
    return int(seq), at.decode(), kind.decode(), prev.decode(), raw[envelope.end() : -1]


@cache
def _types() -> dict[str, type[BaseModel]]:
    return {one.model_fields["type"].default: one for one in get_args(get_args(AnyEvent)[0])}
