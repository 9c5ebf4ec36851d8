"""Run folders: named by time and focus, found by a prefix."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from goldenpath_loop.errors import UsageError
from goldenpath_loop.session.folder import RunFolder, all_runs, create_run, find_run

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def begun(runs: Path, hours: int = 0, focus: str = "goldenpath") -> RunFolder:
    """A run with a log."""
    run = create_run(runs, NOW + timedelta(hours=hours), focus)
    run.log.touch()
    return run


def test_a_run_is_named_by_time_and_focus(tmp_path: Path) -> None:
    """And the folder of all runs keeps itself out of version control."""
    run = create_run(tmp_path / "deep" / "runs", NOW, "goldenpath")
    assert run.id == "20260102-030405-goldenpath"
    assert run.path.is_dir()
    assert (run.path.parent / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize(
    ("focus", "name"),
    [
        ("../../etc/passwd", "20260102-030405-..-..-etc-passwd"),
        ("", "20260102-030405-run"),
        ("ü", "20260102-030405--"),
        ("x" * 100, "20260102-030405-" + "x" * 40),
    ],
)
def test_a_focus_never_leads_out_of_the_folder(tmp_path: Path, focus: str, name: str) -> None:
    """Whatever it is called."""
    run = create_run(tmp_path, NOW, focus)
    assert run.id == name
    assert run.path.parent == tmp_path


def test_runs_of_one_second_have_names_of_their_own(tmp_path: Path) -> None:
    """Counted from two."""
    names = [create_run(tmp_path, NOW, "goldenpath").id for _ in range(3)]
    assert names == [
        "20260102-030405-goldenpath",
        "20260102-030405-goldenpath-2",
        "20260102-030405-goldenpath-3",
    ]


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    """With what can be done."""
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="the runs folder cannot be written") as caught:
        create_run(tmp_path / "file" / "runs", NOW, "goldenpath")
    assert "[loop] runs" in caught.value.advice


def test_runs_come_newest_first_and_other_folders_are_left_aside(tmp_path: Path) -> None:
    """A run is what has a log."""
    runs = [begun(tmp_path, hours) for hours in range(3)]
    (tmp_path / "20270101-000000-not-a-run").mkdir()
    (tmp_path / "zzz").touch()
    assert [run.id for run in all_runs(tmp_path)] == [run.id for run in reversed(runs)]
    assert list(all_runs(tmp_path / "nowhere")) == []


def test_a_run_is_found_by_name_prefix_path_or_as_the_newest(tmp_path: Path) -> None:
    """Whatever is quickest to type."""
    old, new = begun(tmp_path), begun(tmp_path, 24)
    assert find_run(tmp_path, None) == new
    assert find_run(tmp_path, old.id) == old
    assert find_run(tmp_path, "20260102") == old
    assert find_run(tmp_path / "elsewhere", str(old.path)) == old


def test_a_whole_name_is_never_ambiguous(tmp_path: Path) -> None:
    """Although a later run's name begins with it."""
    one = begun(tmp_path)
    begun(tmp_path)
    assert find_run(tmp_path, one.id) == one


def test_a_prefix_that_fits_several_runs_lists_them(tmp_path: Path) -> None:
    """Instead of taking one."""
    runs = [begun(tmp_path, hours) for hours in (0, 1)]
    with pytest.raises(UsageError, match="2026 fits 2 runs") as caught:
        find_run(tmp_path, "2026")
    assert all(run.id in caught.value.advice for run in runs)


@pytest.mark.parametrize(("name", "said"), [("x", "no run called x"), (None, "no run yet")])
def test_no_run_is_said_so(tmp_path: Path, name: str | None, said: str) -> None:
    """With the command that lists them."""
    with pytest.raises(UsageError, match=said) as caught:
        find_run(tmp_path, name)
    assert "loop list" in caught.value.advice
