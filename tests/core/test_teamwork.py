"""Who is asked, in which order, how often; and that no answer decides anything."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from goldenpath_loop.core.remedies import is_proven, remedies
from goldenpath_loop.records.effects import ApplyPatch, DispatchAgent, OpenPullRequest
from goldenpath_loop.records.policy import Limits, Policy
from goldenpath_loop.records.usage import Usage
from goldenpath_loop.testing import paper_policy

from .team_worlds import TeamWorld, team_policy
from .worlds import Life, World, live, start


def lived(folder: Path, world: World, policy: Policy | None = None) -> Life:
    """The life of a run with a team."""
    policy = policy or team_policy()
    return anyio.run(lambda: live(start(folder / "run", policy), world, policy))


def questions(world: World) -> list[str]:
    """Agents in the order in which they were asked."""
    return [effect.agent for effect in world.asked if isinstance(effect, DispatchAgent)]


def never_good(**more: object) -> TeamWorld:
    """Red on every commit there is."""
    return TeamWorld(commits=4, culprit=0, **more)  # type: ignore[arg-type]


def test_without_a_model_nobody_is_asked(tmp_path: Path) -> None:
    """The same world, and an honest end."""
    world = never_good()
    life = lived(tmp_path, world, paper_policy())
    assert life.outcome == "inconclusive"
    assert questions(world) == []


def test_what_instruments_explain_costs_no_question_about_it(tmp_path: Path) -> None:
    """A culprit is found and reverted; only the words of the pull request are asked for."""
    world = TeamWorld(commits=9, culprit=5)
    life = lived(tmp_path, world)
    assert life.outcome == "repaired"
    assert questions(world) == ["pr_author"]


def test_nothing_wrong_is_nothing_to_ask(tmp_path: Path) -> None:
    """Not one call."""
    world = TeamWorld(commits=4, culprit=None)
    assert lived(tmp_path, world).outcome == "passed"
    assert questions(world) == []


def test_a_patch_that_cures_is_proven_and_shown(tmp_path: Path) -> None:
    """Red without it, green with it, red again; then the next cycle is green on top of it."""
    world = never_good()
    life = lived(tmp_path, world)
    assert life.outcome == "repaired"
    assert questions(world) == ["failure_analyst", "fixer", "pr_author"]
    (remedy,) = remedies(life.state)
    assert remedy.commit is None
    assert is_proven(life.state, remedy)


def test_a_patch_that_does_not_cure_is_told_to_the_next_attempt(tmp_path: Path) -> None:
    """The runs say so, whatever the agent says; the third cures."""
    world = never_good(cures=3)
    life = lived(tmp_path, world)
    assert life.outcome == "repaired"
    assert [is_proven(life.state, one) for one in remedies(life.state)] == [False, False, True]
    briefs = [one for one in world.asked if isinstance(one, DispatchAgent) and one.agent == "fixer"]
    assert briefs[0].inputs["earlier"] == "none"
    assert "R1: 1 of 1 test stay red" in briefs[1].inputs["earlier"]
    assert "R2" in briefs[2].inputs["earlier"]


def test_attempts_are_limited(tmp_path: Path) -> None:
    """Two patches that cure nothing are enough, when two are allowed; the end is that of a run without a model."""
    world = never_good(cures=0)
    life = lived(tmp_path, world, team_policy(limits=Limits(attempts=2)))
    assert life.outcome == "inconclusive"
    assert sum(isinstance(one, ApplyPatch) for one in world.asked) == 2
    assert life.state.limits_reached == ("attempts/K1",)
    assert life.state.finished is not None and life.state.finished.hand_off is not None
    record = life.state.finished.hand_off
    assert (record.ended_by, record.clusters[0].stage) == ("", "remedy")
    assert record.clusters[0].statement.startswith("R2 on goldenpath/fix-")
    assert record.next_run == "GOLDENPATH_LIMITS__ATTEMPTS=4 loop start --focus goldenpath"
    assert [(one.allowed, one.used) for one in record.spent if one.limit == "attempts"] == [(2, 2)]
    assert not any(key.startswith("push/") for key in world.performed)


@pytest.mark.parametrize("wrong", [{"quote": "AssertionError: assert total == 4"}, {"unread": True}])
def test_a_claim_that_does_not_hold_leads_to_nothing(tmp_path: Path, wrong: dict[str, object]) -> None:
    """It is rejected with its reason, and no fixer is asked on the strength of it."""
    world = never_good(**wrong)
    life = lived(tmp_path, world)
    assert life.outcome == "inconclusive"
    assert questions(world) == ["failure_analyst"]
    assert life.state.findings == ()
    assert len(life.state.rejected) == 1


def test_an_agent_may_say_the_same_thing_twice(tmp_path: Path) -> None:
    """That is no mistake of the loop, and costs nobody the run."""
    life = lived(tmp_path, never_good(says=3))
    assert life.outcome == "repaired"
    assert len(life.state.findings) == 3


def test_a_limit_that_is_reached_ends_the_questions_and_not_the_run(tmp_path: Path) -> None:
    """It is said once; what instruments can do is done."""
    world = never_good()
    life = lived(tmp_path, world, team_policy(limits=Limits(cost_usd=0)))
    assert life.outcome == "inconclusive"
    assert questions(world) == []
    assert life.state.limits_reached == ("cost_usd",)
    assert life.state.finished is not None and life.state.finished.hand_off is not None
    assert life.state.finished.hand_off.next_run.startswith("GOLDENPATH_LIMITS__COST_USD=20 loop start")


def test_a_limit_that_leaves_too_little_for_a_call_is_said_as_well(tmp_path: Path) -> None:
    """Once, although nothing reached it to the last cent; that the agent's own is used up is no matter of the run."""
    said = "no room for another call: 19.99 of 20 used of the run's money in USD, and it may take 0.02"
    world = never_good(fault=said)
    life = lived(tmp_path, world)
    assert life.outcome == "inconclusive"
    assert life.state.limits_reached == ("cost_usd",)
    (tmp_path / "own").mkdir()
    own = "no room for another call: 9 of 10 used of this agent's tokens, and it may take 2"
    assert lived(tmp_path / "own", never_good(fault=own)).state.limits_reached == ()


def test_what_is_reserved_counts_like_what_is_used() -> None:
    """Sums of usage keep what was only guessed marked as such."""
    one = Usage(prompt_tokens=3, cached_tokens=1, answer_tokens=2, cost_usd=0.5)
    both = one + Usage(prompt_tokens=1, is_estimated=True)
    assert (both.tokens, both.cached_tokens, both.cost_usd, both.is_estimated) == (6, 1, 0.5, True)


def test_the_pull_request_of_a_patch_says_that_an_agent_wrote_it(tmp_path: Path) -> None:
    """Why a patch was needed, what the runs showed, and nothing that the agent says of it."""
    world = never_good()
    lived(tmp_path, world)
    (opened,) = (one for one in world.asked if isinstance(one, OpenPullRequest))
    assert opened.title == "Fix test_total: 1 test of goldenpath green again"
    assert "it is older than the tested history" in opened.body
    assert "An agent wrote this patch" in opened.body
    assert "stability: **proven**" in opened.body


def test_a_patch_after_a_revert_that_failed_says_so(tmp_path: Path) -> None:
    """The culprit is known, its revert conflicts, and a patch mends what it broke."""
    world = TeamWorld(commits=9, culprit=5, conflict=True)
    assert lived(tmp_path, world).outcome == "repaired"
    (opened,) = (one for one in world.asked if isinstance(one, OpenPullRequest))
    assert "The commit that brought it in is known; taking it back was no repair." in opened.body
