"""What was said between the loop and one agent: a line a message, written as it happens, secrets taken out first."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from goldenpath_loop.errors import LogError
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.redaction import Redactor
from goldenpath_loop.system.disk import advice_for, flush

__all__ = [
    "FOLDER",
    "Transcript",
    "read_transcript",
    "read_transcript_from",
    "transcript_digest",
    "transcripts_of",
]

FOLDER = "transcripts"
_MOST_ATTEMPTS = 999


class Transcript:
    """Writes one transcript. Each line is a JSON object with `type` and `at`.

    Args:
        folder: The run's folder.
        name: What it is about; an attempt after a crash gets a file of its own beside the first.
        redactor: Takes secrets out of every line.

    Raises:
        LogError: The file cannot be made.
    """

    def __init__(self, folder: RunFolder, name: str, redactor: Redactor) -> None:
        self._redactor = redactor
        self._hash = hashlib.sha256()
        place = folder.path / FOLDER
        try:
            place.mkdir(exist_ok=True)
            self.path = _free(place, name)
            self._file = self.path.open("xb")
        except OSError as error:
            raise _unwritten(error, place) from error
        self.relative = f"{FOLDER}/{self.path.name}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, type: str, at: str, **content: Any) -> None:
        """Append one line.

        Raises:
            LogError: It could not be written.
        """
        record = self._redactor.record({"type": type, "at": at, **content})
        line = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise _unwritten(error, self.path) from error
        self._hash.update(line)

    def digest(self) -> str:
        """SHA-256 of all lines, once they are on the disk.

        Raises:
            LogError: The disk did not take them.
        """
        try:
            flush(self._file.fileno())
        except OSError as error:
            raise _unwritten(error, self.path) from error
        return self._hash.hexdigest()


def _unwritten(error: OSError, place: Path) -> LogError:
    message = f"the transcript cannot be written: {error.strerror}"
    return LogError(message, where=str(place), advice=advice_for(error))


def transcripts_of(folder: RunFolder, name: str) -> list[Path]:
    """The transcripts about `name` that there are, the first attempt first."""
    found: list[Path] = []
    for path in _places(folder.path / FOLDER, name):
        if not path.exists():
            break
        found.append(path)
    return found


def transcript_digest(folder: RunFolder, relative: str) -> str:
    """SHA-256 of the transcript that a receipt names.

    Raises:
        LogError: It is not there, or it would lie anywhere but among the run's transcripts.
    """
    parts = Path(relative).parts
    if len(parts) != 2 or parts[0] != FOLDER or parts[1] == "..":
        raise LogError("it does not lie among the transcripts of the run", where=relative)
    try:
        return hashlib.sha256((folder.path / relative).read_bytes()).hexdigest()
    except OSError as error:
        raise LogError(f"it cannot be read: {error.strerror}", where=relative) from error


def read_transcript(path: Path) -> Iterator[dict[str, Any]]:
    """Its lines; of one that is being written, the whole ones.

    Raises:
        LogError: It cannot be read, or a line in the middle is not a JSON object.
    """
    yield from read_transcript_from(path, 0)[0]


def read_transcript_from(path: Path, skip: int) -> tuple[list[dict[str, Any]], int]:
    """The whole lines after the first `skip`, and how many whole lines there are now.

    Raises:
        LogError: It cannot be read, or a line in the middle is not a JSON object.
    """
    try:
        whole = path.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise LogError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return [_parsed(line, path, number) for number, line in enumerate(whole, start=1) if number > skip], len(
        whole
    )


def _parsed(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise LogError("this line is not JSON", where=f"{path}:{number}") from error
    if not isinstance(record, dict):
        raise LogError("this line is not a JSON object", where=f"{path}:{number}")
    return record


def _places(place: Path, name: str) -> Iterator[Path]:
    """Where the attempts at `name` are written, one after the other."""
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-")[:120]
    for number in range(1, _MOST_ATTEMPTS + 1):
        yield place / (f"{stem}.jsonl" if number == 1 else f"{stem}.{number}.jsonl")


def _free(place: Path, name: str) -> Path:
    for path in _places(place, name):
        if not path.exists():
            return path
    raise LogError("there are a thousand transcripts of that name", where=str(place / name))
