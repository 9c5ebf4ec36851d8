"""Builds what a tree needs to run, once for each content of the files that say what that is."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio import to_thread

from goldenpath_loop.errors import ProcessError
from goldenpath_loop.records.target import SuiteSpec
from goldenpath_loop.suites.console import last_lines
from goldenpath_loop.system.admission import admitted
from goldenpath_loop.system.environment import own_environment
from goldenpath_loop.system.process import Command, run

__all__ = ["EnvironmentProblem", "environment_for"]

_LOOK_AGAIN_S = 0.2
_READY = ".ready"


class EnvironmentProblem(Exception):
    """A suite's setup failed in a tree, so nothing can be said about it."""


async def environment_for(suite: SuiteSpec, *, tree: Path, store: Path, python: str) -> Path | None:
    """The folder in which the setup of `suite` built what `tree` needs; None when it has no setup.

    Two trees whose `setup_files` say the same share one environment, in this run and in later ones.

    Args:
        suite: Whose setup it is.
        tree: The revision to be run.
        store: Where environments are kept.
        python: Interpreter for `{python}`.

    Raises:
        EnvironmentProblem: The setup ended with an error or could not be started.
    """
    if not suite.setup:
        return None
    folder = store / _key(suite, tree, python)
    store.mkdir(parents=True, exist_ok=True)
    async with _alone(folder.with_suffix(".lock")):
        if not (folder / _READY).exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            await _build(suite, tree, folder, python)
            # Or a power failure leaves the mark and takes what it stands for.
            await to_thread.run_sync(os.sync)
            (folder / _READY).touch()
    return folder


def _key(suite: SuiteSpec, tree: Path, python: str) -> str:
    digest = hashlib.sha256("\0".join((python, *suite.setup)).encode())
    for name in suite.setup_files:
        try:
            content = (tree / name).read_bytes()
        except OSError:
            content = b""
        digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


async def _build(suite: SuiteSpec, tree: Path, folder: Path, python: str) -> None:
    words = tuple(
        word.replace("{environment}", str(folder)).replace("{python}", python) for word in suite.setup
    )
    try:
        done = await run(Command(words, tree, own_environment(), timeout_s=suite.timeout_s))
    except ProcessError as error:
        raise EnvironmentProblem(f"its setup could not be started: {error.message}") from error
    if done.ended != "exited" or done.exit_code != 0:
        said = last_lines(done.output.decode("utf-8", "replace"), 1)
        how = f"exit code {done.exit_code}" if done.ended == "exited" else f"{suite.timeout_s:g} s were over"
        raise EnvironmentProblem(f"its setup failed ({how}): {said}")


@asynccontextmanager
async def _alone(lock: Path) -> AsyncIterator[None]:
    """Nobody else builds this environment meanwhile, in this process or another."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # Another run may build for long; one that is to pause does not wait for it.
                async with admitted("setup"):
                    pass
                await anyio.sleep(_LOOK_AGAIN_S)
            else:
                break
        yield
    finally:
        os.close(handle)
