"""What was said between the loop and one agent: a line a message, written as it happens, secrets taken out first."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from goldenpath_loop.errors import LogError
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.redaction import Redactor

__all__ = ["FOLDER", "Transcript", "read_transcript"]

FOLDER = "transcripts"


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
        stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-")[:120]
        try:
            place.mkdir(exist_ok=True)
            self.path = _free(place, stem)
            self._file = self.path.open("xb")
        except OSError as error:
            raise LogError(f"the transcript cannot be written: {error.strerror}", where=str(place)) from error
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
            raise LogError(
                f"the transcript cannot be written: {error.strerror}", where=str(self.path)
            ) from error
        self._hash.update(line)

    def digest(self) -> str:
        """SHA-256 of all lines, once they are on the disk."""
        os.fsync(self._file.fileno())
        return self._hash.hexdigest()


def _free(place: Path, stem: str) -> Path:
    for number in range(1, 1000):
        path = place / (f"{stem}.jsonl" if number == 1 else f"{stem}.{number}.jsonl")
        if not path.exists():
            return path
    raise LogError("there are a thousand transcripts of that name", where=str(place / stem))


def read_transcript(path: Path) -> Iterator[dict[str, Any]]:
    """Its lines; of one that is being written, the whole ones.

    Raises:
        LogError: It cannot be read, or a line in the middle is not JSON.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LogError(f"cannot be read: {error.strerror}", where=str(path)) from error
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            yield json.loads(line)
        except ValueError as error:
            raise LogError("this line is not JSON", where=f"{path}:{number}") from error
