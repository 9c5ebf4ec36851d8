"""From a pull request, a verdict or a finding down to the test's own words."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from goldenpath_loop.core.lineage import Ancestor, lineage
from goldenpath_loop.records.events import EvidenceCaptured

from .test_crashes import crash_after
from .worlds import Crash, Life, World, live, start

BRANCH = "goldenpath/revert-000000000005"
WORDS = "test_result: tests/test_cart.py::test_total is red: AssertionError: assert total == 3"


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """A repaired run."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    return anyio.run(lambda: live(start(folder), World(commits=9, culprit=5)))


def texts(found: tuple[Ancestor, ...]) -> list[str]:
    """What each record says."""
    return [one.text for one in found]


def test_a_pull_request_rests_on_everything_that_led_to_it(life: Life) -> None:
    """Push, proof, audit, remedy, finding, culprit, change, and the words of the red test."""
    found = lineage(life.lines, f"pull_request/{BRANCH}")
    references = {one.reference for one in found}
    assert found[0].text == "pull request pull_request.md"
    assert {
        f"push/{BRANCH}",
        "remedy/revert/000000000005",
        "change/000000000005",
        "audit/R1",
        "F1",
        "K1",
    } <= references
    kinds = {(verdict.kind, verdict.id) for verdict in life.state.verdicts if verdict.id in references}
    assert {kind for kind, _ in kinds} == {"culprit", "audit", "stability"}
    assert WORDS in texts(found)


def test_a_verdict_rests_on_its_runs_and_on_the_failure_it_is_about(life: Life) -> None:
    """Down to the evidence of the first red test."""
    verdict = life.state.verdict("triage", "K1")
    assert verdict is not None
    found = lineage(life.lines, verdict.id)
    assert {"K1", "triage/K1/1", "triage/K1/2"} <= {one.reference for one in found}
    assert WORDS in texts(found)


def test_a_cluster_rests_on_the_run_it_was_found_in(life: Life) -> None:
    """And not on a later rerun of the same test."""
    found = lineage(life.lines, "K1")
    assert [one.depth for one in found] == [0, 1]
    first = next(line for line in life.lines if isinstance(line.event, EvidenceCaptured))
    assert found[1].seq == first.seq


def test_no_record_comes_twice_and_no_level_is_skipped(life: Life) -> None:
    """Depth first: each record stands below the one that names it."""
    for reference in (f"pull_request/{BRANCH}", "F1", "V1"):
        found = lineage(life.lines, reference)
        names = [one.reference for one in found]
        assert len(names) == len(set(names))
        assert found[0].depth == 0
        for above, below in pairwise(found):
            assert 1 <= below.depth <= above.depth + 1
        assert all(life.lines[one.seq - 1].seq == one.seq for one in found)


def test_everything_a_claim_cites_is_below_it(life: Life) -> None:
    """No citation is lost on the way."""
    finding = life.state.findings[0]
    below = {one.reference for one in lineage(life.lines, finding.id)}
    for link in finding.chain:
        assert {link.effect_citation.evidence, link.cause_citation.evidence, *link.measured_by} <= below


def test_what_does_not_exist_rests_on_nothing(life: Life) -> None:
    """And is no error."""
    assert lineage(life.lines, "E999") == ()
    assert lineage([], "E1") == ()


def test_a_run_that_was_killed_has_the_same_lineage(life: Life, tmp_path: Path) -> None:
    """Requests that were made twice are one record."""
    target = World(commits=9, culprit=5)
    run = start(tmp_path / "run")
    with pytest.raises((BaseExceptionGroup, Crash)):
        anyio.run(lambda: live(run, target, before=crash_after(45)))
    resumed = anyio.run(lambda: live(run, target))
    key = f"pull_request/{BRANCH}"
    whole, cut = lineage(life.lines, key), lineage(resumed.lines, key)
    named = [
        {one.reference for one in found if not one.reference.startswith(("E", "V"))} for found in (whole, cut)
    ]
    assert named[0] == named[1]
