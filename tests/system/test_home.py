"""A home of its own: empty for programs, and tools still find their things."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from goldenpath_loop.system.environment import own_environment
from goldenpath_loop.system.home import own_home


def test_programs_take_the_folder_for_their_home(tmp_path: Path) -> None:
    """Also those that ask for the cache's place."""
    environment = own_environment()
    code = "import pathlib, os; print(pathlib.Path.home(), os.environ['XDG_CACHE_HOME'])"
    own = own_home(tmp_path / "own", environment)
    said = subprocess.run(
        [sys.executable, "-c", code], env={**environment, **own}, capture_output=True, text=True
    )
    assert said.stdout.split() == [str(tmp_path / "own"), str(tmp_path / "own" / ".cache")]


def test_tools_still_find_what_they_keep_in_the_persons_home(tmp_path: Path) -> None:
    """Named only where it is there, and never against what the person says."""
    person = tmp_path / "person"
    (person / ".pyenv").mkdir(parents=True)
    (person / ".cargo").mkdir()
    own = own_home(tmp_path / "own", {"HOME": str(person), "CARGO_HOME": "/elsewhere"})
    assert own["PYENV_ROOT"] == str(person / ".pyenv")
    assert "CARGO_HOME" not in own
    assert "RUSTUP_HOME" not in own


def test_without_a_home_there_is_nothing_to_keep(tmp_path: Path) -> None:
    """As in some containers."""
    assert own_home(tmp_path / "own", {})["HOME"] == str(tmp_path / "own")
