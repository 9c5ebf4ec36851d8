"""Killed at any point around its effects, alone or against another engine, a run leaves one change in the world.

Real performers, a real repository and a real remote. A sample runs always; `pytest -m full` runs a thousand points.
"""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from goldenpath_loop.records.base import pull_request_ref
from tests.e2e.command import leftovers
from tests.e2e.library import git
from tests.repository.checkout import Checkout

from .clones import BRANCH, RUN, Template, World, make_template
from .performing import Engines, Kill

_CHUNKS = 40
_POINTS_IN_CHUNK = 25


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with Engines() as process:
        yield process


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, engines: Engines) -> Template:
    return make_template(tmp_path_factory.mktemp("made"), engines)


def _kill(chance: random.Random, template: Template) -> Kill:
    at = chance.choice(("spawn", "spawned", "write", "moment"))
    if at == "moment":
        return Kill("moment", delay_s=chance.uniform(0.0, template.duration_s * 1.2))
    number = chance.randint(1, template.points["write" if at == "write" else "spawn"])
    return Kill(at, number)  # type: ignore[arg-type]


def _crash(seed: int, template: Template, engines: Engines, folder: Path) -> None:
    """One point, or two: who is killed goes on later, alone or against the other one."""
    chance = random.Random(seed)
    world = template.copy(folder)
    pictures = {name: Checkout(world.root(name)).picture() for name in ("a", "b")}
    kill, other = _kill(chance, template), _kill(chance, template)
    story = chance.choice(("alone", "twice", "against", "both"))
    stories: dict[str, list[list[tuple[str, Kill | None]]]] = {
        "alone": [[("a", kill)], [("a", None)]],
        "twice": [[("a", kill)], [("a", other)], [("a", None)]],
        "against": [[("a", kill), ("b", None)], [("a", None)]],
        "both": [[("a", kill), ("b", other)], [("a", None), ("b", None)]],
    }
    what = f"seed {seed}: {story}, {kill}, {other}"
    for lives in stories[story]:
        ended = engines.live(*(world.life(name, deadly) for name, deadly in lives))
        for (_, deadly), how in zip(lives, ended, strict=True):
            assert how == "lived" or (how == "killed" and deadly), f"{what}\n{how}"
        assert len(world.files()) <= 1, what
        assert world.refs() <= {"refs/heads/main", f"refs/heads/{BRANCH}", pull_request_ref(BRANCH)}, what
    _check(world, ("a", "b") if story in ("against", "both") else ("a",), what)
    for name, picture in pictures.items():
        assert Checkout(world.root(name)).picture() == picture, what
    shutil.rmtree(folder)


def _check(world: World, names: tuple[str, ...], what: str) -> None:
    """One branch, one entry, one file, of one run; nothing in the way of anybody."""
    ref = pull_request_ref(BRANCH)
    assert world.refs() == {"refs/heads/main", f"refs/heads/{BRANCH}", ref}, what
    assert git(world.origin, "rev-list", "--count", ref) == "1", what
    (file,) = world.files()
    assert file.name == "pull_request.md", what
    assert git(world.origin, "show", f"{ref}:pull_request.md") == file.read_text().strip(), what
    owner = file.relative_to(world.folder).parts[0].removeprefix("runs-")
    first = world.run(owner).log.read_bytes().splitlines()[0]
    assert f"Goldenpath-Log: {hashlib.sha256(first).hexdigest()}" in git(
        world.origin, "log", "-1", "--format=%B", ref
    )
    for name in names:
        (receipt,) = world.opened(name)
        assert receipt.problem == "", what
        assert receipt.opened_by.startswith(f"run {RUN} on ") == (name != owner), what
        assert receipt.address == str(file), what
        root = world.root(name)
        assert git(root, "worktree", "list").count("\n") == 0, what
        git(root, "fetch", "--no-write-fetch-head", "-q", "origin")
    locks = [path for path in world.folder.rglob("*.lock") if path.name != "session.lock"]
    assert locks == [], what
    assert leftovers(str(world.folder)) == [], what


@pytest.mark.parametrize("seed", range(16))
def test_a_killed_engine_leaves_one_change(
    seed: int, template: Template, engines: Engines, tmp_path: Path
) -> None:
    _crash(seed, template, engines, tmp_path / "world")


@pytest.mark.full
@pytest.mark.parametrize("chunk", range(_CHUNKS))
def test_a_thousand_points(chunk: int, template: Template, engines: Engines, tmp_path: Path) -> None:
    """Each with a seed of its own, so that one that fails can be had again."""
    for seed in range(1000 + chunk * _POINTS_IN_CHUNK, 1000 + (chunk + 1) * _POINTS_IN_CHUNK):
        _crash(seed, template, engines, tmp_path / str(seed))
