"""What each kind of why-link has to show."""

from __future__ import annotations

from datetime import timedelta

import pytest

from goldenpath_loop.core.links import broken_link
from goldenpath_loop.core.state import State
from goldenpath_loop.records.effects import DescribeChange, ListCommits, RunSuite
from goldenpath_loop.records.events import (
    AnyEvent,
    DecisionMade,
    EffectRequested,
    EffectSettled,
    VerdictReached,
)
from goldenpath_loop.records.evidence import Citation
from goldenpath_loop.records.findings import Finding, LinkKind, Refuter, Verdict, WhyLink
from goldenpath_loop.records.history import Commit
from goldenpath_loop.records.receipts import ChangeReceipt, CommitsReceipt, SuiteReceipt, TestOrigin
from goldenpath_loop.records.results import SuiteRun

from .builders import NOON, PARENT, REVISION, SIGNATURE, TEST, cluster, probed, result, state

OTHER = "c" * 40
ON_IT, BEFORE = "confirm/aaaaaaaaaaaa/K1", "confirm/bbbbbbbbbbbb/K1"
CITATION = Citation(evidence="E1", quote="x", start=0, end=1)
DIFF = Citation(evidence="E7", quote=f"commit {REVISION}", start=0, end=47)
ORIGINS = Citation(evidence="E8", quote="existed before the change", start=0, end=25)


def link(
    kind: LinkKind,
    *measured_by: str,
    effect_citation: Citation = CITATION,
    cause_citation: Citation = DIFF,
) -> WhyLink:
    """A link of one kind that says nothing wrong in general."""
    return WhyLink(
        kind=kind,
        effect="it fails",
        cause="a reason",
        effect_citation=effect_citation,
        cause_citation=cause_citation,
        refuter=Refuter(looked_for="x", found=False),
        measured_by=measured_by,
    )


def clustered(*events: AnyEvent) -> State:
    """A run with one cluster in which `events` happened."""
    made = DecisionMade(cycle=0, subject="clusters", choice="1", reason="r", clusters=(cluster(),))
    return state(made, *events)


def problem(one: WhyLink, state: State) -> str:
    """What the check says of a link in a chain about K1, below one that explains why it fails by it."""
    finding = Finding(id="F1", kind="why_chain", title="t", statement="s", cluster="K1", chain=(one,))
    above = one.model_copy(update={"effect": "the symptom", "cause": one.effect})
    return broken_link(one, above, finding, state)


RED, GREEN = result("red"), result("green")
ELSEWISE = result("red", signature=SIGNATURE.model_copy(update={"exception": "KeyError"}))
NEEDS_TWO = "an intervention needs two runs, one red and one green, and the log does not hold both"


def test_an_intervention_rests_on_a_red_and_a_green_run() -> None:
    """Of the same test with the same failure."""
    log = clustered(*probed(ON_IT, REVISION, RED), *probed(BEFORE, PARENT, GREEN))
    assert problem(link("intervention", ON_IT, BEFORE), log) == ""
    unseen = link("intervention", ON_IT, BEFORE, cause_citation=ORIGINS)
    assert problem(unseen, log) == "what it cites was not seen in the runs it names"


@pytest.mark.parametrize(
    ("events", "named"),
    [
        ((), (ON_IT, BEFORE)),
        ((*probed(ON_IT, REVISION, RED),), (ON_IT, BEFORE)),
        ((*probed(ON_IT, REVISION, RED), *probed(BEFORE, PARENT, GREEN)), (ON_IT,)),
        ((*probed(ON_IT, REVISION, RED), *probed(BEFORE, PARENT, GREEN)), ()),
        ((*probed(ON_IT, REVISION, RED), *probed(BEFORE, PARENT, RED)), (ON_IT, BEFORE)),
        ((*probed(ON_IT, REVISION, GREEN), *probed(BEFORE, PARENT, GREEN)), (ON_IT, BEFORE)),
        ((*probed(ON_IT, REVISION, ELSEWISE), *probed(BEFORE, PARENT, GREEN)), (ON_IT, BEFORE)),
        ((*probed(ON_IT, REVISION, RED), *probed(BEFORE, PARENT, result("unresolved"))), (ON_IT, BEFORE)),
        ((*probed(ON_IT, REVISION, RED), *probed(BEFORE, REVISION, GREEN)), (ON_IT, BEFORE)),
        ((*probed(ON_IT, REVISION, RED), probed(BEFORE, PARENT, GREEN)[0]), (ON_IT, BEFORE)),
    ],
    ids=[
        "no run", "one run", "one named", "none named", "both red", "both green", "another failure",
        "skipped before", "red and green on one commit", "one still under way",
    ],
)  # fmt: skip
def test_an_intervention_without_two_runs_that_differ_is_none(
    events: tuple[AnyEvent, ...], named: tuple[str, ...]
) -> None:
    """What was not run, not named, or came out alike shows nothing."""
    assert problem(link("intervention", *named), clustered(*events)) == NEEDS_TWO


def confirmed(revision: str = REVISION, value: str = "confirmed") -> VerdictReached:
    """What the search says."""
    return VerdictReached(
        verdict=Verdict(id="V1", kind="culprit", subject="K1", value=value, statement="s", revision=revision)
    )


def described(*, existed: bool = True, first_committed_h: float | None = None) -> tuple[AnyEvent, ...]:
    """The change was read, and when its tests came to be."""
    receipt = ChangeReceipt(
        commit=Commit(revision=REVISION, parents=(PARENT,), subject="s", author="a", committed_at=NOON),
        origins=(
            TestOrigin(
                id=TEST,
                existed=existed,
                first_committed_at=None
                if first_committed_h is None
                else NOON + timedelta(hours=first_committed_h),
            ),
        ),
        diff="E7",
        origins_evidence="E8",
    )
    effect = DescribeChange(key="change/aaaa", revision=REVISION, tests=(TEST,))
    return EffectRequested(effect=effect), EffectSettled(key="change/aaaa", receipt=receipt)


def test_introduced_by_rests_on_the_search_and_on_the_red_run() -> None:
    """The commit the search confirmed, seen red."""
    log = clustered(*probed(ON_IT, REVISION, RED), *described(), confirmed())
    assert problem(link("introduced_by", ON_IT), log) == ""
    elsewhere = Citation(evidence="E1", quote=f"commit {REVISION}", start=0, end=47)
    said = problem(link("introduced_by", ON_IT, cause_citation=elsewhere), log)
    assert said == "it names another commit than the search confirmed"


def test_introduced_by_falls_when_an_older_commit_is_red_too() -> None:
    """Looked up in the log, whatever the claim says about its refuter."""
    listed = CommitsReceipt(commits=tuple(commit_at(one) for one in (REVISION, PARENT, OTHER)))
    log = clustered(
        EffectRequested(effect=ListCommits(key="commits", bad=REVISION)),
        EffectSettled(key="commits", receipt=listed),
        *probed(ON_IT, REVISION, RED),
        *probed(BEFORE, PARENT, GREEN),
        *probed("probe/cccc", OTHER, RED),
        *described(),
        confirmed(),
    )
    said = "the test was seen red in the same way on an older commit"
    assert problem(link("introduced_by", ON_IT), log) == said


def commit_at(revision: str) -> Commit:
    """A commit of which only the id matters."""
    return Commit(revision=revision, parents=(), subject="s", author="a", committed_at=NOON)


def test_a_chain_about_a_cluster_starts_at_a_failure_of_it() -> None:
    """Not at a line of some other evidence."""
    shown = SuiteRun(suite="unit", ended="completed", results=(result("red", evidence="E1"),))
    run = RunSuite(key="c0/execute/unit", suite="unit", tree="cycle-1", revision=REVISION)
    log = clustered(
        EffectRequested(effect=run),
        EffectSettled(key=run.key, receipt=SuiteReceipt(run=shown)),
        *probed(ON_IT, REVISION, RED),
        *probed(BEFORE, PARENT, GREEN),
    )
    finding = Finding(id="F1", kind="why_chain", title="t", statement="s", cluster="K1")
    symptom = link("intervention", ON_IT, BEFORE)
    assert broken_link(symptom, None, finding, log) == ""
    other = link("intervention", ON_IT, BEFORE, effect_citation=ORIGINS)
    assert broken_link(other, None, finding, log) == "it does not start at what a test of the cluster said"


@pytest.mark.parametrize(
    ("events", "named", "said"),
    [
        ((*probed(ON_IT, REVISION, RED),), (ON_IT,), "no search has confirmed a culprit"),
        ((*probed(ON_IT, REVISION, RED), confirmed(value="suspect")), (ON_IT,), "no search has confirmed"),
        (
            (*probed(ON_IT, REVISION, RED), confirmed(OTHER)),
            (ON_IT,),
            "it names another commit than the search confirmed",
        ),
        ((*probed(ON_IT, REVISION, RED), confirmed()), (ON_IT,), "it names another commit"),
        (
            (*described(), *probed(ON_IT, REVISION, RED), confirmed()),
            (),
            "do not show the test red on that commit",
        ),
        (
            (*described(), *probed(ON_IT, REVISION, GREEN), confirmed()),
            (ON_IT,),
            "do not show the test red on that commit",
        ),
        (
            (*described(), *probed(BEFORE, PARENT, RED), confirmed()),
            (BEFORE,),
            "do not show the test red on that commit",
        ),
    ],
    ids=[
        "no search",
        "only suspected",
        "another commit",
        "change not read",
        "no run named",
        "green on it",
        "red elsewhere",
    ],
)
def test_introduced_by_without_its_search_is_a_guess(
    events: tuple[AnyEvent, ...], named: tuple[str, ...], said: str
) -> None:
    """However plausible the commit looks."""
    assert said in problem(link("introduced_by", *named), clustered(*events))


@pytest.mark.parametrize(
    ("events", "effect", "cause", "said"),
    [
        (described(first_committed_h=-1), DIFF, ORIGINS, ""),
        (described(), DIFF, ORIGINS, ""),
        (described(existed=False, first_committed_h=1), DIFF, ORIGINS, ""),
        (described(first_committed_h=1), DIFF, ORIGINS, "the test is younger than the change"),
        (described(), CITATION, ORIGINS, "its two citations do not speak of the same change"),
        (described(), DIFF, CITATION, "the history it cites was not read by this run"),
        ((), DIFF, ORIGINS, "the history it cites was not read by this run"),
    ],
    ids=["older", "undated", "came later", "younger", "another change", "other history", "not read"],
)
def test_time_order_rests_on_the_history_of_the_test(
    events: tuple[AnyEvent, ...], effect: Citation, cause: Citation, said: str
) -> None:
    """A test that is said to have been there must not be younger than the change."""
    one = link("time_order", effect_citation=effect, cause_citation=cause)
    assert problem(one, clustered(*events)) == said


def test_a_call_path_cites_the_change() -> None:
    """Not a log line that happens to name a function."""
    assert problem(link("call_path"), clustered(*described(), confirmed())) == ""
    said = "a call path has to cite the change that the search confirmed"
    assert problem(link("call_path", cause_citation=CITATION), clustered(*described(), confirmed())) == said
    assert problem(link("call_path"), clustered(*described(), confirmed(OTHER))) == said
    assert problem(link("call_path"), clustered(*described())) == said
    assert problem(link("call_path"), clustered(confirmed())) == said


@pytest.mark.parametrize(("cause", "said"), [(DIFF, ""), (CITATION, "the same observation")])
def test_a_configuration_link_needs_two_observations(cause: Citation, said: str) -> None:
    """One place in one piece of evidence does not explain itself."""
    found = problem(link("configuration", cause_citation=cause), clustered())
    assert said in found
    assert bool(said) == bool(found)


@pytest.mark.parametrize(
    "kind", ["intervention", "call_path", "introduced_by", "time_order", "configuration"]
)
def test_what_breaks_any_link(kind: LinkKind) -> None:
    """A refuter that was found, a gap in the chain, a circle."""
    log = clustered(*probed(ON_IT, REVISION, RED), *probed(BEFORE, PARENT, GREEN), confirmed(), *described())
    one = link(kind, ON_IT, BEFORE, effect_citation=DIFF, cause_citation=DIFF)
    finding = Finding(id="F1", kind="why_chain", title="t", statement="s", cluster="K1")
    refuted = one.model_copy(update={"refuter": Refuter(looked_for="an older red", found=True)})
    assert broken_link(refuted, None, finding, log) == "its refuter was found: an older red"
    above = one.model_copy(update={"effect": "top", "cause": "something else"})
    assert broken_link(one, above, finding, log) == "it does not start where the link above it ends"
    circle = one.model_copy(update={"cause": one.effect})
    assert broken_link(circle, None, finding, log) == "it explains something by itself"


def test_runs_of_another_cluster_show_nothing() -> None:
    """A finding about a cluster that does not exist has no failure to compare with."""
    log = state(*probed(ON_IT, REVISION, RED), *probed(BEFORE, PARENT, GREEN))
    assert problem(link("intervention", ON_IT, BEFORE), log) == NEEDS_TWO
