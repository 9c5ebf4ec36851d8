"""When reverting a whole commit is no repair: the smallest part of it that cures, as a remedy of its own."""

from __future__ import annotations

from goldenpath_loop.core.deployments import cycle_revision
from goldenpath_loop.core.hunk_search import search_hunks
from goldenpath_loop.core.hunk_task import HunkTask
from goldenpath_loop.core.remedies import Remedy, hunk_branch, hunk_key, hunk_tree, remedies
from goldenpath_loop.core.state import State
from goldenpath_loop.core.step import Scene, Step, request
from goldenpath_loop.core.targets import cured_tests, result_of, selections_of
from goldenpath_loop.core.verdicts import numbered
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.effects import ProbeHunks, RevertCommit
from goldenpath_loop.records.events import VerdictReached
from goldenpath_loop.records.receipts import ChangeReceipt
from goldenpath_loop.science.hunks.compose import parts

__all__ = ["can_be_narrowed", "narrow"]


def can_be_narrowed(state: State, remedy: Remedy) -> bool:
    """Whether taking back all of its commit failed or cost something, and no part of it was tried yet."""
    if (
        remedy.commit is None
        or remedy.hunks
        or state.verdict("stability", _subject(remedy.commit)) is not None
    ):
        return False
    if any(one.commit == remedy.commit and one.hunks for one in remedies(state)):
        return False
    change = state.settled(f"change/{remedy.commit[:12]}", ChangeReceipt)
    if change is None or len(parts(change.hunks)) < 2 or remedy.receipt is None:
        return False
    return remedy.head is None or _fell(state, remedy)


def _fell(state: State, remedy: Remedy) -> bool:
    proof, audit = state.verdict("stability", remedy.id), state.verdict("audit", remedy.id)
    is_costly = proof is not None and proof.value in ("trade_off", "not_cured")
    return is_costly or (audit is not None and audit.value == "violations")


def narrow(scene: Scene, culprits: tuple[Revision, ...]) -> Step | None:
    """Search the guilty hunks of each commit whose revert is no repair, and make a remedy of them."""
    for remedy in remedies(scene.state):
        commit = remedy.commit
        if commit is None or commit not in culprits or remedy.hunks:
            continue
        found = scene.state.verdict("stability", _subject(commit))
        if found is None and can_be_narrowed(scene.state, remedy):
            return _search(scene, commit)
        if found is not None and found.value == "minimal":
            step = request(scene.state, [_part(scene, commit, remedy)])
            if step is not None:
                return step
    return None


def _subject(commit: Revision) -> str:
    return f"hunks of {commit[:12]}"


def _search(scene: Scene, commit: Revision) -> Step:
    onto = cycle_revision(scene)
    assert onto is not None
    tests = [test for _, test in cured_tests(scene, commit)]
    first = result_of(scene.state, tests[0]) if tests else None
    task = HunkTask(
        scene.state,
        scene.policy,
        commit,
        onto,
        selections_of(scene.state, tests),
        _subject(commit),
        spoken_of=first[1].failure.message if first and first[1].failure else "",
    )
    found = search_hunks(task)
    if isinstance(found, Step):
        return found
    verdicts = numbered([found], after=len(scene.state.verdicts))
    return Step(events=tuple(VerdictReached(verdict=one, causes=one.because) for one in verdicts))


def _part(scene: Scene, commit: Revision, remedy: Remedy) -> RevertCommit:
    found = scene.state.verdict("stability", _subject(commit))
    probe = next(
        record.effect
        for key in (found.because if found else ())
        if (record := scene.state.effects.get(key)) is not None and isinstance(record.effect, ProbeHunks)
    )
    assert isinstance(probe, ProbeHunks)
    change = scene.state.settled(f"change/{commit[:12]}", ChangeReceipt)
    subject = change.commit.subject if change else commit[:10]
    tests = "\n".join(f"- {test}" for _, test in cured_tests(scene, commit)[:20])
    return RevertCommit(
        key=hunk_key(commit),
        commit=commit,
        onto=remedy.onto,
        branch=hunk_branch(commit),
        tree=hunk_tree(commit),
        message=(
            f'Revert part of "{subject}"\n\n'
            f"Takes back {len(probe.hunks)} of {len(parts(change.hunks)) if change else 'the'} hunks of {commit}.\n\n"
            f"These tests fail on that commit and pass on its parent:\n\n{tests}\n"
        ),
        hunks=probe.hunks,
    )
