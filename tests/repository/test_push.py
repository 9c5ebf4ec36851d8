"""A push moves branches of ours only, never twice, and says what stood in its way."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from goldenpath_loop.repository.push import push_branch
from goldenpath_loop.repository.remedies import revert_commit

from .checkout import Checkout, RecordingWitness
from .homes import hostile_home

pytestmark = pytest.mark.anyio
BRANCH = "goldenpath/revert-1"


class Shop:
    """A checkout with a bare origin and two remedies for the same branch, made on two bases."""

    def __init__(self, checkout: Checkout, origin: Path, first: str, second: str) -> None:
        self.checkout, self.origin, self.first, self.second = checkout, origin, first, second

    def standing(self) -> str:
        return self.checkout.git(
            "for-each-ref", "--format=%(objectname)", f"refs/heads/{BRANCH}", folder=self.origin
        )

    def local(self) -> str:
        return self.checkout.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{BRANCH}")


@pytest.fixture
async def shop(checkout: Checkout, trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    # People's hooks run when we push in their name, so here they let things pass.
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
    checkout.git("tag", "-a", "-m", "mine", "private", "HEAD~1")
    checkout.freeze()
    return Shop(checkout, origin, heads[0], heads[1])


async def test_a_branch_of_ours_is_made_here_and_there(shop: Shop) -> None:
    receipt = await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.first)

    assert (receipt.branch, receipt.remote_head, receipt.problem) == (BRANCH, shop.first, "")
    assert not receipt.local_only
    assert shop.standing() == shop.local() == shop.first
    assert shop.checkout.git("tag", folder=shop.origin) == ""


async def test_pushing_again_changes_nothing(shop: Shop) -> None:
    await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.first)
    (shop.origin / "hooks").mkdir(exist_ok=True)
    hook = shop.origin / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)

    receipt = await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.first)

    assert (receipt.remote_head, receipt.problem) == (shop.first, "")


async def test_an_older_remedy_of_ours_gives_way(shop: Shop) -> None:
    await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.first)

    receipt = await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.second)

    assert (receipt.remote_head, receipt.problem) == (shop.second, "")
    assert shop.standing() == shop.local() == shop.second


async def test_an_older_remedy_that_another_clone_pushed_gives_way_too(shop: Shop) -> None:
    shop.checkout.git("push", "--quiet", "origin", f"{shop.first}:refs/heads/{BRANCH}")
    clone = Checkout(shop.checkout.root.parent / "clone")
    shop.checkout.git("clone", "--quiet", "--single-branch", str(shop.origin), str(clone.root))
    shop.checkout.git("push", "--quiet", str(clone.root), f"{shop.second}:refs/heads/parked")
    clone.freeze()

    receipt = await push_branch(clone.root, remote="origin", branch=BRANCH, head=shop.second)

    assert (receipt.remote_head, receipt.problem) == (shop.second, "")
    assert clone.picture() == clone.frozen


@pytest.mark.parametrize("where", ["here", "there"])
async def test_a_branch_of_somebody_else_is_never_moved(shop: Shop, where: str) -> None:
    theirs = shop.checkout.head("main")
    if where == "here":
        shop.checkout.git("branch", BRANCH, theirs)
    else:
        shop.checkout.git("push", "--quiet", "origin", f"{theirs}:refs/heads/{BRANCH}")

    receipt = await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.first)

    assert "not ours" in receipt.problem
    assert (shop.local() if where == "here" else shop.standing()) == theirs
    assert shop.standing() == (theirs if where == "there" else "")


@pytest.mark.parametrize("where", ["here", "there"])
async def test_a_remedy_that_a_person_reworked_is_theirs(shop: Shop, where: str) -> None:
    tree = shop.checkout.git("rev-parse", "main^{tree}")
    message = shop.checkout.git("log", "-1", "--format=%B", shop.first)
    amended = shop.checkout.git("commit-tree", tree, "-p", "main", "-F", "-", stdin=message.encode())
    if where == "here":
        shop.checkout.git("branch", BRANCH, amended)
    else:
        shop.checkout.git("push", "--quiet", "origin", f"{amended}:refs/heads/{BRANCH}")

    receipt = await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.second)

    assert "not ours" in receipt.problem
    assert amended in (shop.local(), shop.standing())
    assert shop.second not in (shop.standing(),)


async def test_a_branch_that_somebody_has_checked_out_does_not_move_below_them(shop: Shop) -> None:
    await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.first)
    elsewhere = shop.checkout.root.parent / "elsewhere"
    shop.checkout.git("worktree", "add", "--quiet", str(elsewhere), BRANCH)

    receipt = await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.second)
    same = await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.first)

    assert "is checked out" in receipt.problem
    assert shop.local() == shop.first
    assert shop.checkout.git("status", "--porcelain", folder=elsewhere) == ""
    assert same.problem == ""


async def test_without_a_remote_the_branch_is_here_alone(shop: Shop) -> None:
    receipt = await push_branch(shop.checkout.root, remote="upstream", branch=BRANCH, head=shop.first)

    assert receipt.local_only
    assert "no remote called upstream" in receipt.problem
    assert shop.local() == shop.first


@pytest.mark.parametrize("remote", ["--upload-pack=touch pwned", "-q", ""])
async def test_the_name_of_a_remote_is_no_option(shop: Shop, remote: str) -> None:
    receipt = await push_branch(shop.checkout.root, remote=remote, branch=BRANCH, head=shop.first)

    assert receipt.local_only
    assert not (shop.checkout.root / "pwned").exists()


async def test_a_remote_that_cannot_be_reached_is_said_so(shop: Shop) -> None:
    shop.origin.rename(shop.origin.with_name("moved.git"))

    receipt = await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.first)

    assert receipt.problem.startswith("origin cannot be reached: ")
    assert (receipt.remote_head, receipt.local_only) == (None, False)


async def test_who_refuses_is_quoted(shop: Shop) -> None:
    (shop.origin / "hooks").mkdir(exist_ok=True)
    hook = shop.origin / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho only on weekdays >&2\nexit 1\n")
    hook.chmod(0o755)

    receipt = await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.first)

    assert receipt.problem.startswith("the push was refused: ")
    assert "only on weekdays" in receipt.problem
    assert "pre-receive hook declined" in receipt.problem
    assert (receipt.remote_head, shop.standing()) == (None, "")


async def test_the_persons_own_hook_may_refuse(shop: Shop) -> None:
    hooks = shop.checkout.root / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "pre-push").write_text("#!/bin/sh\necho run the linter first >&2\nexit 1\n")
    (hooks / "pre-push").chmod(0o755)
    shop.checkout.freeze()

    receipt = await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.first)

    assert receipt.problem.startswith("the push was refused: ")
    assert shop.standing() == ""


async def test_a_place_to_push_to_that_is_not_the_place_to_fetch_from(shop: Shop) -> None:
    mirror = shop.origin.with_name("mirror.git")
    shop.checkout.git("clone", "--quiet", "--bare", str(shop.origin), str(mirror))
    shop.checkout.git("remote", "set-url", "--push", "origin", str(mirror))
    shop.checkout.freeze()

    for _ in range(2):
        receipt = await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.first)
        assert (receipt.remote_head, receipt.problem) == (shop.first, "")

    assert shop.checkout.git("rev-parse", f"refs/heads/{BRANCH}", folder=mirror) == shop.first
    assert shop.standing() == ""


async def test_a_branch_whose_name_only_ends_alike_is_another(shop: Shop) -> None:
    other = shop.checkout.head("main")
    shop.checkout.git("push", "--quiet", "origin", f"{other}:refs/heads/a/refs/heads/{BRANCH}")

    receipt = await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.first)

    assert (receipt.remote_head, receipt.problem) == (shop.first, "")


@pytest.mark.parametrize("branch", ["-x", "a..b", "a b", "x:y", "x*", ""])
async def test_what_cannot_be_a_branch_is_said_so(shop: Shop, branch: str) -> None:
    receipt = await push_branch(shop.checkout.root, remote="origin", branch=branch, head=shop.first)

    # A name may begin with a dash after refs/heads/; it is a branch then, and never an option.
    assert receipt.problem or receipt.remote_head == shop.first
    if branch == "-x":
        shop.checkout.git("update-ref", "-d", "refs/heads/-x")
        shop.checkout.git("update-ref", "-d", "refs/remotes/origin/-x")
    else:
        assert "cannot be the name of a branch" in receipt.problem


async def test_a_branch_in_the_way_of_the_name_is_said_so(shop: Shop) -> None:
    shop.checkout.git("branch", "goldenpath")
    shop.checkout.freeze()

    receipt = await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.first)

    assert "cannot be made" in receipt.problem
    assert shop.standing() == ""


async def test_two_engines_pushing_the_same_remedy_both_find_it_there(shop: Shop) -> None:
    problems: list[str] = []

    async def push() -> None:
        receipt = await push_branch(shop.checkout.root, remote="origin", branch=BRANCH, head=shop.first)
        problems.append(receipt.problem)

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(push)

    assert problems == [""] * 4
    assert shop.standing() == shop.first
