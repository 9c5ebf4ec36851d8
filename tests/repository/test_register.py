"""One pull request a branch, whoever asks the remote for it, in whatever order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.records.base import pull_request_ref
from goldenpath_loop.repository.push import push_branch
from goldenpath_loop.repository.register import Entry, Registered, register
from goldenpath_loop.repository.remedies import revert_commit

from .checkout import Checkout, RecordingWitness
from .homes import hostile_home

pytestmark = pytest.mark.anyio
BRANCH = "goldenpath/revert-1"
REF = pull_request_ref(BRANCH)


class Clone:
    """A clone with a remedy on each of two bases, and an engine that works there."""

    def __init__(self, checkout: Checkout, origin: Path, heads: tuple[str, str], name: str) -> None:
        self.checkout, self.origin, self.heads = checkout, origin, heads
        self.entry = Entry(
            run="20260102-030405-goldenpath",
            log=name * 64,
            host=f"host-{name}",
            address=f"runs/{name}/pull_request.md",
            head=heads[0],
            draft=True,
        )

    async def push(self, number: int = 0) -> None:
        receipt = await push_branch(
            self.checkout.root, remote="origin", branch=BRANCH, head=self.heads[number]
        )
        assert receipt.problem == ""

    async def enter(self, text: str = "Why.\n", *, number: int = 0, draft: bool = True) -> Registered:
        entry = replace(self.entry, head=self.heads[number], draft=draft)
        return await register(
            self.checkout.root, remote="origin", branch=BRANCH, entry=entry, text=text.encode()
        )

    def refs(self) -> list[str]:
        return self.checkout.git("for-each-ref", "--format=%(refname)", folder=self.origin).split()

    def read(self, revision: str = REF) -> str:
        return self.checkout.git("show", f"{revision}:pull_request.md", folder=self.origin)

    def entries(self) -> int:
        return int(self.checkout.git("rev-list", "--count", REF, folder=self.origin))

    def hook(self, name: str, text: str) -> None:
        path = self.origin / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)


@pytest.fixture
async def clones(
    checkout: Checkout, trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Clone, Clone]:
    hostile_home(monkeypatch, tmp_path / "pushing", hooks=False)
    checkout.commit(app="good")
    culprit = checkout.commit(app="bad")
    heads = []
    for number in range(2):
        checkout.commit(other=str(number))
        receipt = await revert_commit(
            checkout.root,
            trees / "remedy",
            commit=culprit,
            onto=checkout.head(),
            branch=BRANCH,
            tree="remedy",
            message="Revert",
            protected=(),
            witness=RecordingWitness(),
        )
        assert receipt.head is not None
        heads.append(receipt.head)
    origin = tmp_path / "origin.git"
    checkout.git("clone", "--quiet", "--bare", str(checkout.root), str(origin))
    checkout.git("remote", "add", "origin", str(origin))
    checkout.git("fetch", "--quiet", "origin")
    second = Checkout(tmp_path / "second")
    checkout.git("clone", "--quiet", str(origin), str(second.root))
    for number, head in enumerate(heads):
        checkout.git("push", "--quiet", str(second.root), f"{head}:refs/heads/parked-{number}")
    checkout.freeze()
    both = heads[0], heads[1]
    return Clone(checkout, origin, both, "a"), Clone(second, origin, both, "b")


async def test_the_first_one_enters_and_the_second_finds_it(clones: tuple[Clone, Clone]) -> None:
    first, second = clones
    await first.push()
    await second.push()

    mine, theirs = await first.enter("Mine.\n"), await second.enter("Theirs.\n")

    assert (mine.is_ours, theirs.is_ours) == (True, False)
    assert theirs.entry == first.entry
    assert first.read() == "Mine."
    assert first.refs().count(REF) == 1
    assert first.entries() == 1


async def test_of_engines_that_compete_exactly_one_enters(clones: tuple[Clone, Clone]) -> None:
    for clone in clones:
        await clone.push()
    found: list[Registered] = []

    async def enter(clone: Clone) -> None:
        found.append(await clone.enter(clone.entry.log))

    async with anyio.create_task_group() as group:
        for clone in clones:
            group.start_soon(enter, clone)

    assert sorted(one.is_ours for one in found) == [False, True]
    assert {one.problem for one in found} == {""}
    assert len({one.entry for one in found}) == 1
    assert clones[0].read() == found[0].entry.log


async def test_a_run_that_was_killed_knows_its_own_entry_again(clones: tuple[Clone, Clone]) -> None:
    """It is brought up to date where it says something new, and left alone where not."""
    first, second = clones
    await first.push()
    await first.enter("Draft.\n")
    standing = first.checkout.git("rev-parse", REF, folder=first.origin)

    assert (await first.enter("Draft.\n")).is_ours
    assert first.checkout.git("rev-parse", REF, folder=first.origin) == standing

    assert (await first.enter("Proven.\n", draft=False)).is_ours
    assert first.read() == "Proven."
    assert first.checkout.git("rev-parse", f"{REF}^", folder=first.origin) == standing
    found = await second.enter("Theirs.\n")
    assert (found.is_ours, found.entry.draft) == (False, False)


async def test_runs_of_one_name_are_told_apart(clones: tuple[Clone, Clone]) -> None:
    """A run is called after the second it began in; two clones may begin in the same one."""
    first, second = clones
    assert first.entry.run == second.entry.run
    await first.push()
    await first.enter()

    assert not (await second.enter()).is_ours


async def test_an_entry_of_an_earlier_night_is_taken_over(clones: tuple[Clone, Clone]) -> None:
    first, second = clones
    await first.push()
    await first.enter("Old base.\n")
    await second.push(1)

    found = await second.enter("New base.\n", number=1)

    assert found.is_ours
    assert second.read() == "New base."
    assert second.read(f"{REF}^") == "Old base."


async def test_one_that_was_overtaken_does_not_take_it_back(clones: tuple[Clone, Clone]) -> None:
    """Its branch was moved to a newer base and entered there: that is the pull request now."""
    first, second = clones
    await first.push()
    await second.push(1)
    await second.enter("New base.\n", number=1)

    found = await first.enter("Old base.\n")

    assert (found.is_ours, found.entry.head) == (False, second.heads[1])
    assert second.read() == "New base."


@pytest.mark.parametrize("gone", [False, True])
async def test_for_a_branch_that_is_elsewhere_nothing_is_entered(
    clones: tuple[Clone, Clone], gone: bool
) -> None:
    first, second = clones
    await first.push()
    if gone:
        first.checkout.git("update-ref", "-d", f"refs/heads/{BRANCH}", folder=first.origin)
    else:
        await second.push(1)

    with pytest.raises(RepositoryError, match="gone on origin" if gone else "since it was pushed"):
        await first.enter()

    assert REF not in first.refs()


async def test_a_remote_that_wants_no_such_refs_is_quoted(clones: tuple[Clone, Clone]) -> None:
    first, _ = clones
    await first.push()
    first.hook("update", 'case "$1" in refs/goldenpath/*) echo branches only >&2; exit 1;; esac')

    found = await first.enter()

    assert found.is_ours
    assert f"{REF} cannot be written" in found.problem
    assert "branches only" in found.problem
    assert REF not in first.refs()


async def test_a_remote_that_hides_them_is_not_believed(clones: tuple[Clone, Clone]) -> None:
    first, _ = clones
    await first.push()
    first.checkout.git("config", "uploadpack.hideRefs", "refs/goldenpath", folder=first.origin)

    found = await first.enter()

    assert "does not show" in found.problem


async def test_a_remote_that_is_away_is_said_so(clones: tuple[Clone, Clone]) -> None:
    first, _ = clones
    await first.push()
    first.origin.rename(first.origin.with_name("moved.git"))

    found = await first.enter()

    assert found.problem.startswith("origin cannot be reached: ")


@pytest.mark.parametrize("message", ["anything", "Pull request\n\nGoldenpath-Run: ../x\n"])
async def test_what_is_no_entry_is_never_overwritten(clones: tuple[Clone, Clone], message: str) -> None:
    first, _ = clones
    await first.push()
    tree = first.checkout.git("rev-parse", "main^{tree}")
    alien = first.checkout.git("commit-tree", tree, "-m", message)
    first.checkout.git("push", "--quiet", "origin", f"{alien}:{REF}")

    found = await first.enter()

    assert "is no entry of a pull request" in found.problem
    assert first.checkout.git("rev-parse", REF, folder=first.origin) == alien


@pytest.mark.parametrize("where", ["here", "tracking", "there", "entry"])
async def test_the_lock_of_a_git_that_was_killed_is_taken_away(
    clones: tuple[Clone, Clone], where: str
) -> None:
    first, _ = clones
    ref = {"tracking": f"refs/remotes/origin/{BRANCH}", "entry": REF}.get(where, f"refs/heads/{BRANCH}")
    folder = first.checkout.root / ".git" if where in ("here", "tracking") else first.origin
    lock = folder / f"{ref}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()

    await first.push()
    found = await first.enter()

    assert (found.is_ours, found.problem) == (True, "")
    assert not lock.exists()
    assert first.checkout.git("fetch", "--quiet", "--no-write-fetch-head", "origin") == ""


async def test_a_lock_of_somebody_else_is_left_alone(clones: tuple[Clone, Clone]) -> None:
    first, _ = clones
    lock = first.origin / "packed-refs.lock"
    lock.touch()
    other = first.origin / "refs" / "heads" / "main.lock"
    other.touch()

    await first.push()
    await first.enter()

    assert lock.exists()
    assert other.exists()
