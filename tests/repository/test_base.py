"""The base is the branch that was named, and looking at it changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldenpath_loop.repository.base import inspect_base

from .checkout import Checkout

pytestmark = pytest.mark.anyio


async def test_the_head_of_the_branch_is_the_base_and_dirty_files_are_named(checkout: Checkout) -> None:
    checkout.change("One", {"a.py": "a\n", "b ä.py": "b\n", "moved.py": "m\nm\nm\n", "same.py": "s\n"})
    head = checkout.head()
    checkout.git("mv", "moved.py", "elsewhere.py")
    (checkout.root / "b ä.py").write_text("changed")
    (checkout.root / "untracked.py").write_text("new")
    checkout.freeze()

    receipt = await inspect_base(checkout.root, "main")

    assert receipt.revision == head
    assert set(receipt.dirty) == {"b ä.py", "moved.py", "elsewhere.py"}
    assert receipt.problem == ""


async def test_another_branch_than_the_one_checked_out_can_be_the_base(checkout: Checkout) -> None:
    first = checkout.commit(a="1")
    checkout.git("branch", "stable")
    checkout.commit(a="2")
    checkout.freeze()

    assert (await inspect_base(checkout.root, "stable")).revision == first


@pytest.mark.parametrize("branch", ["main~1", "main@{0}", "HEAD", "main:a", "-x", "", "nothing here"])
async def test_what_is_no_name_of_a_branch_is_no_question_to_git(checkout: Checkout, branch: str) -> None:
    checkout.commit(a="1")
    checkout.commit(a="2")
    checkout.freeze()

    receipt = await inspect_base(checkout.root, branch)

    assert receipt.revision is None
    assert f"has no branch called {branch}" in receipt.problem


async def test_a_folder_without_a_usable_repository_is_a_problem_in_words(
    tmp_path: Path, checkout: Checkout
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    bare = tmp_path / "bare.git"
    checkout.git("init", "--quiet", "--bare", str(bare))

    assert "is not a git repository" in (await inspect_base(empty, "main")).problem
    assert "no files checked out" in (await inspect_base(bare, "main")).problem
    assert "has no commit yet" in (await inspect_base(checkout.root, "main")).problem

    (checkout.root / ".git" / "config").write_text("[broken")
    assert "bad config" in (await inspect_base(checkout.root, "main")).problem
