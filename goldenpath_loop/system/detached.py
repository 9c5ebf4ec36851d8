"""Starts a program that outlives this one and its terminal."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from goldenpath_loop.errors import ProcessError

__all__ = ["Detached", "start_detached"]


class Detached:
    """A program on its own.

    Args:
        process: It, as long as this process lives.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()


def start_detached(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], output: Path) -> Detached:
    """Start `argv` in a session of its own, its words into the file `output`.

    Raises:
        ProcessError: It could not be started.
    """
    try:
        with output.open("ab") as file:
            process = subprocess.Popen(
                list(argv),
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        raise ProcessError(f"could not be started: {error.strerror}", where=argv[0]) from error
    return Detached(process)
