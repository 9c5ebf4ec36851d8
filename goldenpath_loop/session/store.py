"""Evidence bytes under their digest: written once, never changed, checked when read."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from goldenpath_loop.errors import LogError
from goldenpath_loop.session.redaction import Redactor
from goldenpath_loop.system.disk import advice_for, flush

__all__ = ["EvidenceStore", "Stored"]


class Stored:
    """What became of bytes that were put into the store."""

    __slots__ = ("digest", "redactions", "size_bytes")

    def __init__(self, digest: str, size_bytes: int, redactions: int) -> None:
        self.digest = digest
        self.size_bytes = size_bytes
        self.redactions = redactions


class EvidenceStore:
    """The folder `evidence/` of one run.

    Args:
        folder: Where the bytes lie; created when absent.
        redactor: Takes secrets out before anything is written.
    """

    def __init__(self, folder: Path, redactor: Redactor | None = None) -> None:
        self.folder = folder
        self.redactor = redactor or Redactor()

    def put(self, data: bytes) -> Stored:
        """Store `data` without its secrets; the same bytes are stored once.

        Raises:
            LogError: They could not be written whole.
        """
        clean, redactions = self.redactor.data(data)
        digest = hashlib.sha256(clean).hexdigest()
        path = self.folder / digest
        try:
            if not path.exists():
                self._write(path, clean)
        except OSError as error:
            raise LogError(
                f"evidence could not be stored: {error.strerror}",
                where=str(path),
                advice=advice_for(error),
            ) from error
        return Stored(digest, len(clean), redactions)

    def _write(self, path: Path, data: bytes) -> None:
        # Not its parents: a run's folder that was removed is not made again behind the back of its log.
        self.folder.mkdir(exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with fresh.open("wb") as file:
                file.write(data)
                file.flush()
                flush(file.fileno())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)

    def get(self, digest: str) -> bytes:
        """The bytes stored under `digest`.

        Raises:
            LogError: They are gone, or are not what they were.
        """
        path = self.folder / digest
        try:
            data = path.read_bytes()
        except OSError as error:
            raise LogError("evidence is missing", where=str(path)) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise LogError("evidence was changed after it was stored", where=str(path))
        return data
