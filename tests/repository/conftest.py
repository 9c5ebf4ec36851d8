"""Every test here runs for a person with hostile settings, and none may change anything of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .checkout import Checkout, RecordingWitness
from .homes import hostile_home


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    hostile_home(monkeypatch, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def witness() -> RecordingWitness:
    return RecordingWitness()


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """An empty repository; what is in it when the test calls `freeze` must still be there at the end."""
    made = Checkout.create(tmp_path / "checkout")
    yield made
    if made.frozen is not None:
        assert made.picture() == made.frozen


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    """Where worktrees go."""
    return tmp_path / "trees"
