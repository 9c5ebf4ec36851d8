"""From a pull request back to what the failing tests said."""

from __future__ import annotations

from goldenpath_loop.core.lineage import lineage

from .conftest import Recorded


def _paths(run: Recorded, reference: str) -> list[list[str]]:
    """Every record with the records above it."""
    paths: list[list[str]] = []
    above: list[str] = []
    for one in lineage(run.lines, reference):
        above = [*above[: one.depth], one.reference]
        paths.append(above)
    return paths


def test_a_pull_request_rests_on_finding_cluster_and_test(repaired: Recorded) -> None:
    """Pull request, finding, cluster, the test's evidence: one unbroken path."""
    paths = _paths(repaired, "pull_request/goldenpath/revert-000000000009")
    said = repaired.evidence("::test_close", "c1/execute/")
    ends = [path for path in paths if path[-1] == said]
    finding = repaired.finding("why_chain")
    assert ends == [["pull_request/goldenpath/revert-000000000009", finding, "K1", said]]


def test_it_rests_on_its_proof_audit_push_and_change_as_well(repaired: Recorded) -> None:
    """Everything a reviewer may ask about is below it."""
    below = {path[-1] for path in _paths(repaired, "pull_request/goldenpath/revert-000000000009")}
    verdicts = {repaired.verdict("culprit", "K1"), repaired.verdict("audit", "R1")}
    assert verdicts | {repaired.verdict("stability", "R1")} <= below
    assert {"audit/R1", "push/goldenpath/revert-000000000009"} <= below
    assert {"remedy/revert/000000000009", "change/000000000009"} <= below


def test_the_last_record_says_the_tests_own_words(repaired: Recorded) -> None:
    """Evidence of a test is told with its outcome and message."""
    verdict = repaired.verdict("culprit", "K1")
    texts = {one.reference: one.text for one in lineage(repaired.lines, verdict)}
    red = texts[repaired.evidence("::test_close", "c1/execute/")]
    assert red.endswith("is red: InvalidStatus: server rejected WebSocket connection: HTTP 200")
    assert texts[repaired.evidence("::test_close", "confirm/000000000008")].endswith("is green")


def test_each_record_is_told_once_and_names_its_line(repaired: Recorded) -> None:
    """Also where two records rest on the same third one."""
    verdict, finding = repaired.verdict("stability", "R1"), repaired.finding("why_chain")
    for reference in (verdict, finding, "pull_request/goldenpath/revert-000000000009"):
        found = lineage(repaired.lines, reference)
        assert len({one.reference for one in found}) == len(found)
        assert all(1 <= one.seq <= len(repaired.lines) for one in found)


def test_it_can_be_followed_in_every_beginning_of_a_log(repaired: Recorded) -> None:
    """What is not there yet rests on nothing."""
    for end in range(len(repaired.lines) + 1):
        lines = repaired.lines[:end]
        lineage(lines, "pull_request/goldenpath/revert-000000000009")
        assert lineage(lines, "V999") == ()
