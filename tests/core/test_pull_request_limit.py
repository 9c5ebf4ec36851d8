"""The limit of pull requests holds over crashes; what another run opened is shown and does not use it up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import pytest

from goldenpath_loop.core.limits import used
from goldenpath_loop.forge.local import PullRequest, open_pull_request
from goldenpath_loop.records import effects as asked
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.policy import Limits
from goldenpath_loop.records.receipts import AnyReceipt, PullRequestReceipt
from goldenpath_loop.review.verification import verify
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.session import Session
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.testing import paper_policy

from .test_crashes import crash_after
from .worlds import Crash, World, live, start

TESTS = ("a.py::a", "b.py::b")
ONE = paper_policy(limits=Limits(pull_requests=1))


@dataclass
class Forged(World):
    """Two culprits; pull requests are files of the real forge.

    Args:
        folder: Where they are written.
        taken: How many of the branches, in the order of asking, another run opened already.
        dies: Kills the engine before or after the file is written, once.
    """

    folder: Path = field(default_factory=Path)
    taken: int = 0
    dies: str = ""

    async def perform(self, effect: AnyEffect, witness: Witness) -> AnyReceipt:
        if not isinstance(effect, asked.OpenPullRequest):
            return await World.perform(self, effect, witness)
        if effect.branch not in self.branches:
            self.branches.append(effect.branch)
        if self.branches.index(effect.branch) < self.taken:
            return PullRequestReceipt(
                branch=effect.branch,
                address="runs/other/pull_request.md",
                draft=False,
                found=True,
                opened_by="run other on far",
            )
        self._die("before")
        shown = {name: getattr(effect, name) for name in ("branch", "head", "base_branch", "title", "body")}
        receipt = open_pull_request(self.folder, PullRequest(**shown, draft=effect.draft, where="here"))
        self._die("after")
        return receipt

    def _die(self, when: str) -> None:
        if self.dies == when:
            self.dies = ""
            raise Crash

    branches: list[str] = field(default_factory=list)

    def opened(self) -> list[str]:
        """Files of pull requests."""
        return sorted(path.name for path in self.folder.glob("pull_request*.md"))


def two(folder: Path, *, taken: int = 0, dies: str = "") -> Forged:
    """A world with two remedies to show."""
    return Forged(
        commits=6,
        tests=TESTS,
        culprits={TESTS[0]: 2, TESTS[1]: 4},
        folder=folder,
        taken=taken,
        dies=dies,
    )


def killed(run: RunFolder, target: Forged, before: Callable[[Session], None]) -> None:
    """A life that ends by a crash, or by the outcome if that comes first."""
    try:
        anyio.run(partial(live, run, target, ONE, before=before))
    except (BaseExceptionGroup, Crash):
        return


def around(folder: Path) -> range:
    """Lines of the log from a little before the first pull request is asked for to the end."""
    whole = anyio.run(lambda: live(start(folder, ONE), two(folder), ONE))
    first = next(
        line.seq
        for line in whole.lines
        if line.event.type == "effect.requested" and line.event.effect.key.startswith("push/")
    )
    return range(first - 2, len(whole.lines) + 1)


def test_however_it_is_killed_there_is_one(tmp_path: Path) -> None:
    """After every line from the first push on, and in the middle of the deed."""
    for seq in around(tmp_path / "whole"):
        for dies in ("", "before", "after"):
            run = start(tmp_path / f"{seq}-{dies}", ONE)
            target = two(run.path, dies=dies)
            lives = 0
            while dies == target.dies != "" and lives < 3:
                lives += 1
                killed(run, target, lambda session: None)
            killed(run, target, crash_after(seq))
            life = anyio.run(lambda run=run, target=target: live(run, target, ONE))  # type: ignore[misc]
            assert target.opened() == ["pull_request.md"], (seq, dies)
            assert life.outcome == "pull_request_limit"
            assert life.state.last_at is not None
            assert used(life.state, life.state.last_at)["pull_requests"] == 1


@pytest.mark.parametrize(
    ("taken", "files", "outcome"),
    [(0, 1, "pull_request_limit"), (1, 1, "repaired"), (2, 0, "repaired")],
)
def test_what_another_run_opened_does_not_use_it_up(
    tmp_path: Path, taken: int, files: int, outcome: str
) -> None:
    """It counts as shown: the run is repaired, says who opened it, and verifies without a file of its own."""
    run = start(tmp_path / "run", ONE)
    target = two(run.path, taken=taken)

    life = anyio.run(lambda: live(run, target, ONE))

    assert life.outcome == outcome
    assert len(target.opened()) == files
    assert verify(run).is_true
    assert life.state.finished is not None
    actions = [one for one in life.state.finished.next_actions if "already opened" in one]
    assert len(actions) == taken
    if taken:
        branch = target.branches[0]
        assert actions[0] == (
            f"Review and merge {branch}: already opened by run other on far (runs/other/pull_request.md there, "
            f"and its text in refs/goldenpath/pull-requests/{branch} of the remote)."
        )
