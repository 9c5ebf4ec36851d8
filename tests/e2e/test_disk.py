"""The disk fills up, is read-only or gone while a run goes on: one clear error, nothing left behind, and a resume."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from goldenpath_loop.session.chain import read
from tests.e2e.command import LOOP, Typed, environment, leftovers, only_run, state_of, typed
from tests.e2e.gated import Gated, build_gated


def _mount(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"this process may not mount: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    if sys.platform != "linux" or shutil.which("mount") is None:
        pytest.skip("needs a disk in memory as Linux has it")
    folder = tmp_path / "disk"
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _fill(disk: Path) -> None:
    """Take all the room there is."""
    with (disk / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            assert error.errno == errno.ENOSPC


def _cut(library: Gated, runs: Path, cache: Path, deed: Callable[[], object]) -> Typed:
    """A run that meets `deed` while its suite runs, and how it ended."""
    with subprocess.Popen(
        [*LOOP, "start", "--json", "--runs", str(runs)],
        cwd=library.root,
        env=environment(cache),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        library.met()
        deed()
        library.open()
        output, errors = process.communicate(timeout=120)
    return Typed(process.returncode, output, errors)


def _is_one_clear_error(done: Typed, place: Path, advice: str) -> None:
    """Exit code 1, the place, what to do, and nothing that only a programmer reads."""
    assert done.exit_code == 1, done.errors
    assert done.errors.startswith("loop: ")
    assert str(place) in done.errors
    assert advice in done.errors
    assert len(done.errors.splitlines()) == 2, done.errors
    assert "worklog.md" not in done.errors, "the first error is the one to tell, not what followed from it"
    assert done.output == ""


@pytest.mark.parametrize("full", ["runs", pytest.param("cache", marks=pytest.mark.full)])
def test_a_full_disk_stops_the_run_and_a_resume_goes_on(tmp_path: Path, disk: Path, full: str) -> None:
    """Where the run is recorded, and where its worktrees lie. Read-only afterwards, it refuses at once."""
    library = build_gated(tmp_path)
    runs = disk / "runs" if full == "runs" else tmp_path / "runs"
    cache = disk if full == "cache" else tmp_path
    done = _cut(library, runs, cache, lambda: _fill(disk))
    _is_one_clear_error(done, disk, "Make room")
    assert leftovers(str(tmp_path)) == []
    assert state_of(only_run(runs)).finished is None
    words = ("resume", "--json", "--runs", str(runs))
    if full == "runs":
        _mount("-o", "remount,ro", str(disk))
        _is_one_clear_error(typed(*words, folder=library.root, cache=cache), disk, "Make it writable again")
        _mount("-o", "remount,rw", str(disk))
    (disk / "ballast").unlink()
    done = typed(*words, folder=library.root, cache=cache)
    assert done.exit_code == 0, done.errors
    assert done.record["outcome"] == "passed"
    assert "passed" in only_run(runs).worklog.read_text()
    assert leftovers(str(tmp_path)) == []


def test_a_run_folder_that_is_renamed_stops_the_run_and_one_that_is_brought_back_goes_on(
    tmp_path: Path,
) -> None:
    """Nothing is made again in its place."""
    library = build_gated(tmp_path)
    runs, aside = tmp_path / "runs", tmp_path / "aside"
    done = _cut(library, runs, tmp_path, lambda: only_run(runs).path.rename(aside))
    _is_one_clear_error(done, runs, "bring it back, then `loop resume`")
    assert [path.name for path in runs.iterdir()] == [".gitignore"]
    assert leftovers(str(tmp_path)) == []
    began = next(read(aside / "session.jsonl")).event
    assert began.type == "run.started"
    aside.rename(runs / began.run)
    resumed = typed("resume", "--json", "--runs", str(runs), folder=library.root, cache=tmp_path)
    assert resumed.record["outcome"] == "passed", resumed.errors


@pytest.mark.full
def test_a_run_folder_that_is_removed_stops_the_run(tmp_path: Path) -> None:
    """There is nothing to go on with, and nothing is left of it."""
    library = build_gated(tmp_path)
    runs = tmp_path / "runs"
    done = _cut(library, runs, tmp_path, lambda: shutil.rmtree(only_run(runs).path))
    _is_one_clear_error(done, runs, "or begin a new run")
    assert [path.name for path in runs.iterdir()] == [".gitignore"]
    assert leftovers(str(tmp_path)) == []
    again = typed("start", "--json", "--runs", str(runs), folder=library.root, cache=tmp_path)
    assert again.record["outcome"] == "passed", again.errors


def test_runs_cannot_begin_where_nothing_can_be_written(tmp_path: Path, disk: Path) -> None:
    """Said before anything is done."""
    library = build_gated(tmp_path)
    _mount("-o", "remount,ro", str(disk))
    refused = typed("start", "--runs", str(disk / "runs"), folder=library.root, cache=tmp_path)
    assert refused.exit_code == 2
    assert str(disk / "runs") in refused.errors
    assert os.strerror(errno.EROFS) in refused.errors
    assert "Traceback" not in refused.errors
