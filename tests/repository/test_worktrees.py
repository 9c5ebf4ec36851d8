"""Worktrees are clean, lie outside of the checkout, and survive whatever a killed engine left behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.repository.worktrees import overlay, prepare_worktree, remove_worktrees

from .checkout import Checkout

pytestmark = pytest.mark.anyio


def _files(tree: Path) -> dict[str, str]:
    return {
        str(path.relative_to(tree)): path.read_text()
        for path in sorted(tree.rglob("*"))
        if path.is_file() and path.name != ".git"
    }


def _is_clean(checkout: Checkout, tree: Path) -> bool:
    return checkout.git("status", "--porcelain", "--ignored", folder=tree) == ""


async def test_a_worktree_holds_exactly_the_revision(checkout: Checkout, trees: Path) -> None:
    first = checkout.change("One", {"a.py": "one\r\n", "ä b.py": "x\n", "run": "#!/bin/sh\n"})
    checkout.commit(a="two")
    (checkout.root / "a.py").write_text("not committed")
    (checkout.root / "untracked").write_text("mine")
    checkout.freeze()

    receipt = await prepare_worktree(checkout.root, trees / "one", name="one", revision=first)

    assert (receipt.tree, receipt.revision, receipt.problem) == ("one", first, "")
    assert (trees / "one" / "a.py").read_bytes() == b"one\r\n"
    assert set(_files(trees / "one")) == {"a.py", "ä b.py", "run"}
    assert checkout.git("rev-parse", "HEAD", folder=trees / "one") == first
    assert _is_clean(checkout, trees / "one")


async def test_a_sparse_checkout_of_the_person_does_not_thin_out_ours(
    checkout: Checkout, trees: Path
) -> None:
    revision = checkout.change("One", {"here/a": "1", "there/b": "2"})
    checkout.git("sparse-checkout", "set", "here")
    checkout.freeze()

    await prepare_worktree(checkout.root, trees / "one", name="one", revision=revision)

    assert set(_files(trees / "one")) == {"here/a", "there/b"}


async def test_submodules_are_left_alone(checkout: Checkout, trees: Path) -> None:
    library = Checkout.create(checkout.root.parent / "library")
    library.commit(a="1")
    checkout.git("submodule", "--quiet", "add", str(library.root), "library")
    revision = checkout.commit("With a library", b="1")
    checkout.freeze()

    for _ in range(2):
        await prepare_worktree(checkout.root, trees / "one", name="one", revision=revision)

    assert set(_files(trees / "one")) == {".gitmodules", "b"}
    await remove_worktrees(checkout.root, trees)
    assert not trees.exists()


async def test_a_dirty_worktree_is_reset(checkout: Checkout, trees: Path) -> None:
    first = checkout.change("One", {"a": "1", ".gitignore": "*.log\n", "gone": "g"})
    second = checkout.commit(a="2", b="2")
    tree = trees / "one"
    checkout.freeze()
    await prepare_worktree(checkout.root, tree, name="one", revision=first)
    (tree / "a").write_text("changed")
    (tree / "gone").unlink()
    (tree / "left.log").write_text("ignored")
    (tree / "made").mkdir()
    (tree / "made" / "file").write_text("untracked")
    checkout.git("init", "--quiet", str(tree / "nested"))
    checkout.git("add", "made", folder=tree)

    await prepare_worktree(checkout.root, tree, name="one", revision=second)

    assert _files(tree) == {"a": "2", ".gitignore": "*.log\n", "b": "2", "gone": "g"}
    assert _is_clean(checkout, tree)


def _locked_index(checkout: Checkout, tree: Path) -> None:
    Path(checkout.git("rev-parse", "--git-path", "index.lock", folder=tree)).write_text("")


def _vanished(checkout: Checkout, tree: Path) -> None:
    shutil.rmtree(tree)


def _vanished_while_locked(checkout: Checkout, tree: Path) -> None:
    checkout.git("worktree", "lock", "--reason", "initializing", str(tree))
    shutil.rmtree(tree)


def _unregistered(checkout: Checkout, tree: Path) -> None:
    shutil.rmtree(checkout.root / ".git" / "worktrees")


def _no_link(checkout: Checkout, tree: Path) -> None:
    (tree / ".git").unlink()


def _torn_link(checkout: Checkout, tree: Path) -> None:
    (tree / ".git").write_text("gitd")


def _a_file_instead(checkout: Checkout, tree: Path) -> None:
    shutil.rmtree(tree)
    tree.write_text("?")


def _broken_index(checkout: Checkout, tree: Path) -> None:
    Path(checkout.git("rev-parse", "--git-path", "index", folder=tree)).write_bytes(b"DIRC torn")


def _half_reverted(checkout: Checkout, tree: Path) -> None:
    checkout.git("revert", "--no-commit", "HEAD", folder=tree)


def _in_conflict(checkout: Checkout, tree: Path) -> None:
    (tree / "a").write_text("ours")
    checkout.git("commit", "--quiet", "-am", "Ours", folder=tree)
    with pytest.raises(AssertionError):
        checkout.git("revert", checkout.head("main"), folder=tree)


def _read_only(checkout: Checkout, tree: Path) -> None:
    (tree / "closed").mkdir()
    (tree / "closed" / "file").write_text("x")
    (tree / "closed").chmod(0o500)
    (tree / ".git").unlink()


@pytest.mark.parametrize(
    "leave",
    [
        _locked_index,
        _vanished,
        _vanished_while_locked,
        _unregistered,
        _no_link,
        _torn_link,
        _a_file_instead,
        _broken_index,
        _half_reverted,
        _in_conflict,
        _read_only,
    ],
)
async def test_what_a_killed_engine_left_is_mended(
    checkout: Checkout, trees: Path, leave: Callable[[Checkout, Path], None]
) -> None:
    checkout.commit(a="1")
    revision = checkout.commit(a="2", b="2")
    tree = trees / "one"
    checkout.freeze()
    await prepare_worktree(checkout.root, tree, name="one", revision=revision)
    leave(checkout, tree)

    await prepare_worktree(checkout.root, tree, name="one", revision=revision)

    assert _files(tree) == {"a": "2", "b": "2"}
    assert _is_clean(checkout, tree)
    assert checkout.git("worktree", "list").count("\n") == 1


@pytest.mark.parametrize("place", [".", "trees/one", ".git/one", ".."])
async def test_a_place_inside_or_around_the_checkout_is_refused(checkout: Checkout, place: str) -> None:
    revision = checkout.commit(a="1")
    checkout.freeze()

    with pytest.raises(RepositoryError, match="must not lie"):
        await prepare_worktree(checkout.root, checkout.root / place, name="one", revision=revision)


async def test_a_link_into_the_checkout_is_refused_too(checkout: Checkout, trees: Path) -> None:
    revision = checkout.commit(a="1")
    trees.symlink_to(checkout.root)
    checkout.freeze()

    with pytest.raises(RepositoryError, match="must not lie"):
        await prepare_worktree(checkout.root, trees / "one", name="one", revision=revision)


async def test_a_repository_of_somebody_else_is_not_taken_for_a_worktree(
    checkout: Checkout, trees: Path
) -> None:
    revision = checkout.commit(a="1")
    other = Checkout.create(trees / "one")
    other.commit(precious="work")
    other.freeze()

    with pytest.raises(RepositoryError):
        await prepare_worktree(checkout.root, other.root, name="one", revision=revision)

    assert other.picture() == other.frozen


@pytest.mark.parametrize("revision", ["main", "--orphan=x", "", "HEAD~1", "a" * 40])
async def test_only_a_full_commit_id_that_is_there_is_checked_out(
    checkout: Checkout, trees: Path, revision: str
) -> None:
    checkout.commit(a="1")
    checkout.freeze()

    with pytest.raises(RepositoryError):
        await prepare_worktree(checkout.root, trees / "one", name="one", revision=revision)


async def test_worktrees_can_be_prepared_all_at_once(checkout: Checkout, trees: Path) -> None:
    revisions = [checkout.commit(a=str(number)) for number in range(8)]
    checkout.freeze()
    for _ in range(2):
        async with anyio.create_task_group() as group:
            for number, revision in enumerate(revisions):
                group.start_soon(_prepare, checkout, trees / str(number), revision)

    assert [(trees / str(number) / "a").read_text() for number in range(8)] == [str(n) for n in range(8)]


async def _prepare(checkout: Checkout, tree: Path, revision: str) -> None:
    await prepare_worktree(checkout.root, tree, name=tree.name, revision=revision)


async def test_a_preparation_cancelled_anywhere_can_be_repeated(checkout: Checkout, trees: Path) -> None:
    revision = checkout.change("Many", {f"d{n % 7}/{n}": "x" * n for n in range(300)})
    checkout.freeze()
    for number in range(12):
        with anyio.move_on_after(0.004 * number):
            await prepare_worktree(checkout.root, trees / "one", name="one", revision=revision)

    await prepare_worktree(checkout.root, trees / "one", name="one", revision=revision)

    assert len(_files(trees / "one")) == 300
    assert _is_clean(checkout, trees / "one")


async def test_removal_leaves_neither_folders_nor_entries_of_ours(checkout: Checkout, trees: Path) -> None:
    revision = checkout.commit(a="1")
    mine = checkout.root.parent / "mine"
    checkout.git("worktree", "add", "--quiet", "-b", "mine", str(mine), revision)
    away = checkout.root.parent / "on a disk that is not there"
    checkout.git("worktree", "add", "--quiet", "--detach", str(away), revision)
    shutil.rmtree(away)
    for name in ("one", "two", "gone"):
        await prepare_worktree(checkout.root, trees / name, name=name, revision=revision)
    shutil.rmtree(trees / "gone")
    (trees / "stray").mkdir()
    checkout.freeze()

    await remove_worktrees(checkout.root, trees)
    await remove_worktrees(checkout.root, trees)

    listed = checkout.git("worktree", "list")
    assert not trees.exists()
    assert str(trees) not in listed
    assert str(mine) in listed
    # Forgetting it would be the person's decision.
    assert str(away) in listed


async def test_entries_are_removed_even_when_the_folder_is_gone_already(
    checkout: Checkout, trees: Path
) -> None:
    revision = checkout.commit(a="1")
    await prepare_worktree(checkout.root, trees / "one", name="one", revision=revision)
    shutil.rmtree(trees)

    await remove_worktrees(checkout.root, trees)

    assert str(trees) not in checkout.git("worktree", "list")


async def test_where_no_worktree_was_ever_made_there_is_nothing_to_remove(checkout: Checkout) -> None:
    checkout.freeze()

    await remove_worktrees(checkout.root, checkout.root / "cache" / "trees")


async def test_a_folder_inside_the_checkout_is_never_removed(checkout: Checkout) -> None:
    checkout.change("One", {"src/a": "1"})
    checkout.freeze()

    with pytest.raises(RepositoryError, match="must not lie"):
        await remove_worktrees(checkout.root, checkout.root / "src")


OLD = {
    "app.py": "old",
    "tests/test_a.py": "old",
    "tests/test_old.py": "gone later",
    "conftest.py": "old",
    "tests_util.py": "old",
}
NEW = {
    "app.py": "new",
    "tests/test_a.py": "new",
    "tests/deep/test_new ä.py": "new",
    "conftest.py": "new",
    "tests_util.py": "new",
    "*": "star",
}


@pytest.mark.parametrize(
    ("prefixes", "expected"),
    [
        (
            ["tests/"],
            {**OLD, "tests/test_a.py": "new", "tests/deep/test_new ä.py": "new", "tests/test_old.py": None},
        ),
        (
            ["tests"],
            {**OLD, "tests/test_a.py": "new", "tests/deep/test_new ä.py": "new", "tests/test_old.py": None},
        ),
        (["conftest.py"], {**OLD, "conftest.py": "new"}),
        (["tests/test_old.py"], {**OLD, "tests/test_old.py": None}),
        (["*"], {**OLD, "*": "star"}),
        (["nothing/", "-x", ":(glob)**"], OLD),
        ([], OLD),
        (["./conftest.py", "tests/deep/"], {**OLD, "conftest.py": "new", "tests/deep/test_new ä.py": "new"}),
    ],
)
async def test_protected_files_are_replaced_added_and_taken_away(
    checkout: Checkout, trees: Path, prefixes: list[str], expected: dict[str, str | None]
) -> None:
    old = checkout.change("Old", OLD)
    new = checkout.change("New", {**NEW, "tests/test_old.py": None})
    checkout.freeze()
    await prepare_worktree(checkout.root, trees / "one", name="one", revision=old)

    for _ in range(2):
        await overlay(trees / "one", revision=new, prefixes=prefixes)

    assert _files(trees / "one") == {name: text for name, text in expected.items() if text is not None}
    await prepare_worktree(checkout.root, trees / "one", name="one", revision=old)
    assert _files(trees / "one") == OLD


async def test_a_folder_takes_the_place_of_a_file_and_the_other_way_round(
    checkout: Checkout, trees: Path
) -> None:
    old = checkout.change("Old", {"tests": "a file", "spec/deep/a": "a folder"})
    new = _replaced(checkout)
    checkout.freeze()
    await prepare_worktree(checkout.root, trees / "one", name="one", revision=old)

    await overlay(trees / "one", revision=new, prefixes=["tests/e2e/", "spec"])

    assert _files(trees / "one") == {"tests/e2e/test_a": "new", "spec": "a file"}


def _replaced(checkout: Checkout) -> str:
    (checkout.root / "tests").unlink()
    shutil.rmtree(checkout.root / "spec")
    return checkout.change("New", {"tests/e2e/test_a": "new", "spec": "a file"})
