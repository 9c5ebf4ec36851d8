"""Hunks of an old commit taken back on a later one: exact, merged with what came between, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldenpath_loop.repository.hunks import fit_hunks, take_back
from goldenpath_loop.repository.worktrees import prepare_worktree

from .checkout import Checkout

pytestmark = pytest.mark.anyio

OLD = "".join(f"line {number}\n" for number in range(20))


def history(checkout: Checkout, changed: str, later: str) -> tuple[str, str]:
    """The guilty commit and the newest one."""
    checkout.commit("Begin", **{"a.txt": OLD})
    return checkout.commit("Guilty", **{"a.txt": changed}), checkout.commit("Later", **{"a.txt": later})


CHANGED = OLD.replace("line 2\n", "LINE 2\n").replace("line 9\n", "LINE 9\n").replace("line 15\n", "")


async def test_each_hunk_fits_where_nothing_came_later(checkout: Checkout) -> None:
    """Then every subset does."""
    culprit, head = history(checkout, CHANGED, CHANGED)
    fits = await fit_hunks(checkout.root, commit=culprit, onto=head)
    assert fits.misfits == ()
    assert fits.bound == ()


async def test_a_hunk_in_the_way_of_a_later_change_is_named(checkout: Checkout) -> None:
    """The others can still be taken back."""
    culprit, head = history(checkout, CHANGED, CHANGED.replace("LINE 9", "line nine"))
    fits = await fit_hunks(checkout.root, commit=culprit, onto=head)
    assert [one.number for one in fits.misfits] == [1]
    assert "a.txt" in fits.misfits[0].problem


async def test_neighbours_that_only_go_together_are_bound(checkout: Checkout) -> None:
    """Python that parses only when both are taken back."""
    checkout.commit("Before", **{"b.py": "def f():\n    return g(\n        1,\n        2)\n"})
    both = checkout.commit("Brackets", **{"b.py": "def f():\n    return [\n        1,\n        2]\n"})
    fits = await fit_hunks(checkout.root, commit=both, onto=both)
    assert fits.misfits == ()
    assert fits.bound == ((0, 1),)


async def test_what_is_taken_back_is_merged_with_what_came_later(checkout: Checkout, trees: Path) -> None:
    """The later edit stays, and the patch says just the difference."""
    culprit, head = history(checkout, CHANGED, f"later\n{CHANGED}")
    checkout.freeze()
    await prepare_worktree(checkout.root, trees / "one", name="one", revision=head)
    done = await take_back(trees / "one", commit=culprit, chosen=(1, 2))
    assert done.problem == ""
    assert (trees / "one" / "a.txt").read_text() == "later\n" + OLD.replace("line 2\n", "LINE 2\n")
    assert "+line 9" in done.patch
    assert "line 2" not in "".join(one for one in done.patch.splitlines(True) if one[0] in "+-")
