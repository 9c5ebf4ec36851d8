"""An order only permutes ties; words carry no number and no reference that was not measured."""

from __future__ import annotations

import pytest

from goldenpath_loop.core.opinions import about_order, ordered, words_of
from goldenpath_loop.core.state import fold
from goldenpath_loop.core.step import Scene
from goldenpath_loop.records.agents import AnyAnswer, ProposedOrder, PullRequestText
from goldenpath_loop.records.effects import DispatchAgent
from goldenpath_loop.records.events import AnyEvent, EffectRequested, EffectSettled, PhaseStarted
from goldenpath_loop.records.findings import Finding, PlannedSuite, Verdict
from goldenpath_loop.records.receipts import DispatchReceipt

from .builders import NOON, lines
from .team_worlds import team_policy

REVISION = "a" * 40
PLANNED = (
    PlannedSuite(suite="first", tests=("t::1",), reason="failing before"),
    PlannedSuite(suite="second", tests=("t::2",), reason="new"),
    PlannedSuite(suite="third", tests=("t::3",), reason="new"),
)


def scene(*events: AnyEvent) -> Scene:
    """A run in its second phase, with more events."""
    state = fold(lines([PhaseStarted(cycle=1, phase="test_select"), *events]))
    return Scene(state, team_policy(), NOON)


def said(asked: DispatchAgent, answer: AnyAnswer | None) -> Scene:
    """A run in which that was the answer."""
    receipt = DispatchReceipt(agent=asked.agent, answer=answer)
    return scene(EffectRequested(effect=asked), EffectSettled(key=asked.key, receipt=receipt))


@pytest.mark.parametrize(
    ("order", "becomes"),
    [
        (("first", "third", "second"), ["first", "third", "second"]),
        (("first", "second", "third"), ["first", "second", "third"]),
        (("second", "first", "third"), ["first", "second", "third"]),
        (("first", "second"), ["first", "second", "third"]),
        (("first", "second", "third", "fourth"), ["first", "second", "third"]),
        (("first", "first", "second"), ["first", "second", "third"]),
        ((), ["first", "second", "third"]),
    ],
)
def test_an_order_moves_ties_and_nothing_else(order: tuple[str, ...], becomes: list[str]) -> None:
    """What drops a suite, adds one, or puts the new before the failing is no order."""
    (asked,) = about_order(scene(), REVISION, PLANNED, {})
    found = ordered(said(asked, ProposedOrder(suites=order)), PLANNED, [asked])
    assert [one.suite for one in found] == becomes


def test_without_a_tie_nobody_is_asked() -> None:
    """The rule has said all."""
    assert about_order(scene(), REVISION, PLANNED[:2], {}) == []


FINDINGS = [Finding(id="F1", kind="observation", title="Totals", statement="3 of 42 tests were red")]
VERDICTS = [Verdict(id="V7", kind="stability", subject="R1", value="proven", statement="42 of 42 passed")]


@pytest.mark.parametrize(
    ("summary", "because", "counts"),
    [
        ("3 tests were red, and 42 pass now.", ("F1", "V7"), True),
        ("The cart adds up again.", ("V7",), True),
        ("100 % of the tests pass.", ("V7",), False),
        ("43 of 42 pass.", ("V7",), False),
        ("42 pass.", (), False),
        ("42 pass.", ("V8",), False),
        ("42 pass, see https://example.net/42.", ("V7",), False),
        ("42 pass. ![x](y)", ("V7",), False),
        ("42 pass, says @everybody.", ("V7",), False),
        ("42 pass <script>", ("V7",), False),
    ],
)
def test_words_say_nothing_that_no_record_says(summary: str, because: tuple[str, ...], counts: bool) -> None:
    """No number of their own, no reference to nothing, no link, nobody called by name."""
    asked = DispatchAgent(key="k", agent="pr_author", subject="R1", inputs={}, revision=REVISION)
    words = PullRequestText(title="Mend the cart", summary=summary, because=because)
    assert (words_of(said(asked, words), [asked], FINDINGS, VERDICTS) is not None) == counts


def test_a_dispatch_without_an_answer_leaves_everything_as_it_is() -> None:
    """Neither words nor an order."""
    asked = DispatchAgent(key="k", agent="pr_author", subject="R1", inputs={}, revision=REVISION)
    assert words_of(said(asked, None), [asked], FINDINGS, VERDICTS) is None
    assert ordered(said(asked, None), PLANNED, [asked]) == PLANNED
