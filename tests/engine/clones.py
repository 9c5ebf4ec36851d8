"""Two clones of one remote with an engine each, to be copied for every time they are killed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from goldenpath_loop.records.effects import (
    AnyEffect,
    ComposeRemedies,
    OpenPullRequest,
    PrepareWorktree,
    PushBranch,
    RevertCommit,
)
from goldenpath_loop.records.events import EffectSettled
from goldenpath_loop.records.receipts import PullRequestReceipt, RemedyReceipt
from goldenpath_loop.session.chain import read
from goldenpath_loop.session.folder import RunFolder
from tests.e2e.library import build_library, git

from .performing import Engines, Kill, Life

__all__ = ["BRANCH", "RUN", "Template", "World", "effects_of", "make_template"]

BRANCH = "goldenpath/revert-1"
RUN = "20260102-030405-goldenpath"
"""The same in both clones: they began in the same second."""


@dataclass(frozen=True)
class World:
    """Two clones of one remote, and the engine of each."""

    folder: Path
    effects: tuple[str, ...]

    @property
    def origin(self) -> Path:
        return self.folder / "origin.git"

    def root(self, name: str) -> Path:
        return self.folder / name

    def run(self, name: str) -> RunFolder:
        return RunFolder(self.folder / f"runs-{name}" / RUN)

    def life(self, name: str, kill: Kill | None = None) -> Life:
        home = str(self.folder / f"home-{name}")
        return Life(str(self.root(name)), str(self.run(name).path), home, self.effects, kill)

    def refs(self) -> set[str]:
        return set(git(self.origin, "for-each-ref", "--format=%(refname)").split())

    def files(self) -> list[Path]:
        return sorted(self.folder.glob(f"runs-*/{RUN}/pull_request*.md"))

    def opened(self, name: str) -> list[PullRequestReceipt]:
        settled = [line.event for line in read(self.run(name).log) if isinstance(line.event, EffectSettled)]
        assert len({event.key for event in settled}) == len(settled)
        return [event.receipt for event in settled if isinstance(event.receipt, PullRequestReceipt)]


@dataclass(frozen=True)
class Template:
    """What every world is a copy of, and how many points a life in it has."""

    folder: Path
    effects: tuple[str, ...]
    points: dict[str, int]
    duration_s: float

    def copy(self, folder: Path) -> World:
        shutil.copytree(self.folder, folder, symlinks=True)
        for name in ("a", "b"):
            config = folder / name / ".git" / "config"
            config.write_text(config.read_text().replace(str(self.folder), str(folder)))
        return World(folder, self.effects)


def effects_of(base: str, culprit: str, head: str) -> tuple[AnyEffect, ...]:
    """What a run asks for to show the remedy `head` for `culprit`."""
    return (
        PrepareWorktree(key="c1/tree", tree="cycle-1", revision=base),
        RevertCommit(
            key="remedy", commit=culprit, onto=base, branch=BRANCH, tree="remedy-1", message="Revert it"
        ),
        ComposeRemedies(key="c2/tree", base=base, heads=(head,), tree="cycle-2"),
        PushBranch(key="push", branch=BRANCH, head=head),
        OpenPullRequest(
            key="pull_request",
            branch=BRANCH,
            head=head,
            base_branch="main",
            title="Revert it",
            body="Why.\n",
            draft=False,
        ),
    )


def make_template(made: Path, engines: Engines) -> Template:
    """Build it below `made`, and let engines rehearse in it."""
    library = build_library(made, commits=5, culprit=3)
    folder = made / "template"
    folder.mkdir()
    library.origin.rename(folder / "origin.git")
    for name in ("a", "b"):
        git(folder, "clone", "-q", str(folder / "origin.git"), name)
    for samples in folder.glob("*/.git/hooks/*"):
        samples.unlink()
    shutil.rmtree(folder / "origin.git" / "hooks")
    plan = effects_of(library.head, library.culprit, "0" * 40)
    # The remedy has the same id everywhere, so one rehearsal tells it; another counts the points of a whole life.
    rehearsal = World(
        shutil.copytree(folder, made / "rehearsal"), tuple(one.model_dump_json() for one in plan[:2])
    )
    assert engines.live(rehearsal.life("a")) == ["lived"]
    receipts = [line.event for line in read(rehearsal.run("a").log) if isinstance(line.event, EffectSettled)]
    made_remedy = receipts[-1].receipt
    assert isinstance(made_remedy, RemedyReceipt) and made_remedy.head
    effects = tuple(
        one.model_dump_json() for one in effects_of(library.head, library.culprit, made_remedy.head)
    )
    whole = Template(folder, effects, {}, 0.0).copy(made / "whole")
    assert engines.live(whole.life("a")) == ["lived"]
    lines = list(read(whole.run("a").log))
    first, last = (datetime.fromisoformat(line.at) for line in (lines[0], lines[-1]))
    points = engines.told(whole.life("a"))["points"]
    return Template(folder, effects, points, (last - first).total_seconds())
