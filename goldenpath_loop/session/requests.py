"""What a person asks of a run from another terminal: a file each, on the disk before the command goes on."""

from __future__ import annotations

import contextlib
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from goldenpath_loop.errors import LogError
from goldenpath_loop.records.policy import Limits
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.system.disk import advice_for, flush

__all__ = ["Request", "RequestKind", "ask", "take"]

RequestKind = Literal["pause", "pause_now", "limits"]


@dataclass(frozen=True, slots=True)
class Request:
    """One thing asked for."""

    kind: RequestKind
    by: str
    """Who asked."""
    limits: Limits | None = None
    """All limits of the run, for that kind."""


def ask(run: RunFolder, request: Request) -> None:
    """Leave `request` for the engine of `run`.

    Raises:
        LogError: The run's folder cannot be written.
    """
    folder = _folder(run)
    fresh = folder / f".{uuid.uuid4().hex}"
    try:
        folder.mkdir(exist_ok=True)
        with fresh.open("w", encoding="utf-8") as file:
            limits = request.limits.model_dump() if request.limits else None
            json.dump({"kind": request.kind, "by": request.by, "limits": limits}, file)
            file.flush()
            flush(file.fileno())
        fresh.replace(folder / f"{uuid.uuid4().hex}.json")
    except OSError as error:
        message = f"the request could not be left: {error.strerror}"
        raise LogError(message, where=str(folder), advice=advice_for(error)) from error


def take(run: RunFolder) -> list[Request]:
    """All requests that were left, oldest first; they are gone afterwards. What is no request is passed over.

    Raises:
        LogError: They cannot be taken away, and would be taken again for ever.
    """
    found: list[tuple[int, Request]] = []
    for path in _folder(run).glob("*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            record = json.loads(path.read_text("utf-8"))
            kind, by = record["kind"], str(record["by"])[:100]
            limits = Limits.model_validate(record["limits"]) if kind == "limits" else None
            if kind in get_args(RequestKind):
                found.append((path.stat().st_mtime_ns, Request(kind, by, limits)))
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            message = f"a request cannot be taken away: {error.strerror}"
            raise LogError(message, where=str(path), advice=advice_for(error)) from error
    return [request for _, request in sorted(found, key=lambda pair: pair[0])]


def _folder(run: RunFolder) -> Path:
    return run.path / "control"
