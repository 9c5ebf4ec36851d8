"""Worlds on paper that are harder than the plain one, and the way a test lives through them."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from goldenpath_loop.core.state import State, fold
from goldenpath_loop.engine.loop import Engine
from goldenpath_loop.engine.units import LocalWorkers
from goldenpath_loop.engine.witness import SessionWitness
from goldenpath_loop.errors import WorldError
from goldenpath_loop.records import effects as asked
from goldenpath_loop.records import receipts
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.events import RunResumed
from goldenpath_loop.records.history import Commit, TestHistory
from goldenpath_loop.records.line import Line
from goldenpath_loop.records.policy import Policy
from goldenpath_loop.records.receipts import AnyReceipt
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.redaction import Redactor
from goldenpath_loop.session.session import Session
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.testing import PaperTarget, paper_policy, paper_run

__all__ = ["Crash", "Life", "World", "live", "start"]


@dataclass
class World(PaperTarget):
    """A repository with any number of culprits, tests that vary, commits that cannot matter, and edges that fail.

    Args:
        culprits: Test to the commit that broke it, counted from the root. Replaces `culprit` and `broken`.
        flaky: Test to what its runs show one after the other, True for a pass; after the last it begins anew.
        rates: Test to how often it fails before and since the commit that broke it.
        past: What earlier runs knew.
        documents: Commits that change documents only.
        failing: Effect kind to which of its performances cannot be carried out; None for all of them.
    """

    culprits: Mapping[str, int] = field(default_factory=dict)
    flaky: Mapping[str, tuple[bool, ...]] = field(default_factory=dict)
    rates: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    past: tuple[TestHistory, ...] = ()
    seed: int = 1
    documents: frozenset[int] = frozenset()
    failing: Mapping[str, int | None] = field(default_factory=dict)
    reverted: dict[str, frozenset[int]] = field(default_factory=dict)
    """Commits that are taken back, by the revision that holds the reverts."""
    asked: list[AnyEffect] = field(default_factory=list)
    """Everything that was asked, in order."""

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._passes = {test: itertools.cycle(shown) for test, shown in self.flaky.items()}

    def count(self, kind: str) -> int:
        """How many effects of `kind` were performed."""
        return sum(effect.kind == kind for effect in self.asked)

    def is_red(self, revision: str, test: str) -> bool:
        """Whether `test` fails on `revision`."""
        if test in self._passes:
            return not next(self._passes[test])
        if test in self.rates:
            return self._chance.random() < self.rates[test][self._is_broken(revision, test)]
        return self._is_broken(revision, test)

    def _is_broken(self, revision: str, test: str) -> bool:
        if not self.culprits:
            return PaperTarget.is_red(self, revision, test)
        guilty = self.culprits.get(test)
        if revision in self.reverted:
            return test == self.side_effect or (guilty is not None and guilty not in self.reverted[revision])
        return guilty is not None and self._number(revision) >= guilty

    async def perform(self, effect: AnyEffect, witness: Witness) -> AnyReceipt:
        """Answer one effect, or fail where this world is meant to."""
        self.asked.append(effect)
        if effect.kind in self.failing and self.failing[effect.kind] in (None, self.count(effect.kind)):
            self.performed.append(effect.key)
            raise WorldError("this edge is broken today", where=effect.kind)
        match effect:
            case asked.ReadHistory() if self.past:
                self.performed.append(effect.key)
                return receipts.HistoryReceipt(tests=self.past, runs=max(one.runs for one in self.past))
            case asked.RevertCommit() if self.culprits and not self.conflict:
                self.performed.append(effect.key)
                head = self._without(frozenset({self._number(effect.commit)}))
                self.trees[effect.tree] = head
                return receipts.RemedyReceipt(branch=effect.branch, head=head, files=("cart.py",))
            case asked.ComposeRemedies() if self.culprits:
                self.performed.append(effect.key)
                head = self._without(frozenset().union(*(self.reverted[one] for one in effect.heads)))
                self.trees[effect.tree] = head
                return receipts.WorktreeReceipt(tree=effect.tree, revision=head)
            case _:
                return await PaperTarget.perform(self, effect, witness)

    def _without(self, commits: frozenset[int]) -> str:
        revision = hashlib.sha1(repr(sorted(commits)).encode()).hexdigest()
        self.reverted[revision] = commits
        return revision

    def _commit(self, number: int) -> Commit:
        commit = PaperTarget._commit(self, number)
        return commit.model_copy(update={"files": ("notes.md",)}) if number in self.documents else commit


class Crash(BaseException):
    """The engine's process is gone, at once and without a word."""


@dataclass(frozen=True)
class Life:
    """A run that came to its outcome."""

    folder: RunFolder
    state: State
    lines: list[Line]
    engine_state: State

    @property
    def outcome(self) -> str:
        """How it ended."""
        assert self.state.finished is not None
        return self.state.finished.outcome


def start(folder: Path, policy: Policy | None = None) -> RunFolder:
    """A run folder whose log has its first line."""
    folder.mkdir(exist_ok=True)
    run = RunFolder(folder)
    with Session(run) as session:
        session.append(paper_run(policy or paper_policy()))
    return run


async def live(
    run: RunFolder,
    target: PaperTarget,
    policy: Policy | None = None,
    *,
    redactor: Redactor | None = None,
    before: Callable[[Session], None] = lambda session: None,
) -> Life:
    """One engine process: open the run, say that it goes on, and go on to the outcome.

    Args:
        run: A run that was begun, and perhaps cut off.
        target: The world; it outlives engines.
        policy: What decisions depend on.
        redactor: What must not be written.
        before: Called with the open session before the engine starts.
    """
    policy = policy or paper_policy()
    with Session(run, redactor) as session:
        if session.seq > 1:
            session.append(RunResumed(version="0"))
        before(session)

        async def perform(effect: AnyEffect) -> AnyReceipt:
            return await target.perform(effect, SessionWitness(session, effect.key, None))

        async with LocalWorkers(perform, jobs=policy.jobs) as workers:
            engine = Engine(session, policy, workers)
            await engine.run()
        lines = list(session.replay())
    return Life(run, fold(lines), lines, engine.state)
