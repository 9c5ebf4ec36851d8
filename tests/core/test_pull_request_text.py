"""What a reviewer reads: impact, cause, evidence, proof, risk, and how to undo it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from goldenpath_loop.core.wording import code, counted
from goldenpath_loop.records.effects import OpenPullRequest

from .worlds import Life, World, live, start

OPENED = Callable[[World], tuple[OpenPullRequest, Life]]


@pytest.fixture
def opened(tmp_path: Path) -> OPENED:
    """The only pull request of a whole run."""

    def run(world: World) -> tuple[OpenPullRequest, Life]:
        life = anyio.run(lambda: live(start(tmp_path / "run"), world))
        (effect,) = (
            record.effect
            for record in life.state.effects.values()
            if isinstance(record.effect, OpenPullRequest)
        )
        return effect, life

    return run


def test_a_proven_remedy_says_what_it_brings_back(opened: OPENED) -> None:
    """The title names the change, how many tests, and that they are green."""
    effect, _ = opened(World(commits=9, culprit=5))
    assert effect.title == "Revert “Change 5”: 1 test of goldenpath green again"
    assert not effect.draft
    assert "Draft" not in effect.body


def test_the_sections_come_in_the_order_of_a_review(opened: OPENED) -> None:
    """Impact before cause, proof before risk, the way back, and which record it was made from."""
    effect, _ = opened(World(commits=9, culprit=5))
    headings = [line for line in effect.body.splitlines() if line.startswith("## ")]
    assert headings == [
        "## Impact",
        "## Root cause",
        "## Evidence",
        "## Proof",
        "## Risk",
        "## How to undo",
        "## Record",
    ]


def test_every_number_and_claim_comes_from_the_log(opened: OPENED) -> None:
    """Verdict ids, finding ids, evidence with its place, value at risk, the red tests."""
    world = World(commits=9, culprit=5)
    effect, life = opened(world)
    stability, culprit = life.state.verdict("stability", "R1"), life.state.verdict("culprit", "K1")
    assert stability is not None
    assert culprit is not None
    for said in (
        f"red on `{world.head}`",
        "- `tests/test_cart.py::test_total`",
        "$1,000 a month",
        f"`{world.revision(5)}` “Change 5”, Ada, 2026-01-06",
        f"K1: {culprit.statement} ({culprit.id}).",
        "Five whys (F1):",
        f"- stability: **proven** ({stability.id}). {stability.statement}.",
        "- `cart.py`",
        f"`git revert {effect.head}`",
        "What no test of the focus looks at is not covered by this proof.",
    ):
        assert said in effect.body, said
    for link in life.state.findings[0].chain:
        one = link.cause_citation
        assert f"- {one.evidence} [{one.start}:{one.end}]: `{one.quote.strip()}`" in effect.body


def test_a_trade_off_is_a_draft_that_says_so_first(opened: OPENED) -> None:
    """It names the test it costs."""
    effect, _ = opened(World(commits=9, culprit=5, side_effect="tests/test_cart.py::test_empty"))
    assert effect.draft
    assert effect.body.startswith("> Draft: the proof is not complete.")
    assert effect.title.endswith("red since")
    assert "**trade_off**" in effect.body
    assert "tests/test_cart.py::test_empty passed before and does not now" in effect.body


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("plain", "`plain`"),
        ("a `b` c", "``a `b` c``"),
        ("`a`", "`` `a` ``"),
        ("two\nlines  and\tmore", "`two lines and more`"),
        ("``` fence", "```` ``` fence ````"),
    ],
)
def test_words_from_outside_stay_inside_of_their_span(text: str, span: str) -> None:
    """A quote with backticks must not become markup."""
    assert code(text) == span


@pytest.mark.parametrize(
    ("things", "said"), [(0, "0 tests"), (1, "1 test"), (2, "2 tests"), (["a"], "1 test"), ([], "0 tests")]
)
def test_one_is_not_many(things: int | list[str], said: str) -> None:
    """In every sentence."""
    assert counted(things, "test") == said
