"""The worklog says what was measured, links its evidence, and can be made of any log."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from goldenpath_loop.records.events import FindingRejected, RunPaused, RunResumed, RunStarted
from goldenpath_loop.records.findings import Finding
from goldenpath_loop.records.line import UnknownEvent
from goldenpath_loop.review.worklog import render_worklog
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.session import Session
from goldenpath_loop.session.store import EvidenceStore

from .conftest import Recorded
from .staging import RUN, Staging

_HEADINGS = (
    "Executive summary",
    "Cycle 1",
    "What is deployed",
    "Contradictions",
    "Test selection and why",
    "Results",
    "Failing tests",
    "Clusters and triage",
    "Culprit search",
    "Five whys",
    "Remedies, audit and stability proof",
    "Cycle 2",
    "Pull requests",
    "Outcome and next actions",
    "Evidence",
)


def _without_digests(text: str) -> str:
    return re.sub(r"\]\(evidence/[0-9a-f]{64}\)", "]", text)


def _rows(text: str, heading: str) -> list[str]:
    """Rows of the first table below `heading`, header left out."""
    after = text[text.index(heading) :]
    table = after[after.index("\n|") :].split("\n\n")[0].strip().split("\n")
    return table[2:]


def test_it_tells_a_whole_run_in_order(repaired: Recorded) -> None:
    """Every part of a worklog is there, from what is deployed to the pull request."""
    text = render_worklog(repaired.lines, repaired.store)
    places = [text.index(f"# {name}") for name in _HEADINGS if name != "Contradictions"]
    assert places == sorted(places)
    assert "**Status:** finished: repaired" in text
    assert "[pull_request.md](pull_request.md)" in text
    assert "Review and merge pull_request.md" in text


def test_results_are_counted_by_suite_priority_and_against_the_baseline(repaired: Recorded) -> None:
    """A skipped test is not run, never passed; the second cycle is compared with the first."""
    text = _without_digests(render_worklog(repaired.lines, repaired.store))
    first, second = text.split("## Cycle 2", 1)
    assert "| `websocket-events` | P1 | 3 | 0 | 3 | 1 | 0.0% | 3 newly failing |" in first
    assert "| P1 | 5 | 2 | 3 | 1 | 40.0% | breached: 3 of 5 failed (60%)" in first
    assert "| `websocket-events` | P1 | 3 | 3 | 0 | 1 | 100.0% | 3 green again |" in second
    assert "Changes are against cycle 1." in second
    assert "skipped | needs \\| a browser" in first


def test_value_at_risk_says_that_it_comes_from_the_configuration(repaired: Recorded) -> None:
    """Money is configured; nothing measures it."""
    text = render_worklog(repaired.lines, repaired.store)
    statement = next(line for line in text.splitlines() if line.startswith("- Value at risk"))
    assert "USD 120,000 a month" in statement
    assert "comes from the configuration" in statement


def test_the_culprit_search_lists_commits_in_the_order_they_were_run(repaired: Recorded) -> None:
    """Commit, outcome for each cluster, purpose: enough to do it again by hand."""
    rows = _rows(render_worklog(repaired.lines, repaired.store), "### Culprit search")
    asked = [
        line.event.effect.revision[:12]
        for line in repaired.lines
        if line.event.type == "effect.requested" and line.event.effect.kind == "probe_commit"
    ]
    assert [re.findall(r"`([0-9a-f]{12})`", row)[0] for row in rows] == asked
    assert {cell for row in rows for cell in re.findall(r"K1 (\w+)", row)} == {"red", "green"}
    assert [row for row in rows if "confirmation" in row] == rows[-2:]


def test_every_why_quotes_both_sides_with_their_bytes(repaired: Recorded) -> None:
    """The quoted text is what stands at the named bytes of the linked file."""
    text = render_worklog(repaired.lines, repaired.store)
    cited = re.findall(r"\(evidence/([0-9a-f]{64})\) bytes (\d+)-(\d+): `([^`]+)`", text)
    assert len(cited) >= 8
    for digest, start, end, quote in cited:
        assert repaired.store.get(digest)[int(start) : int(end)].decode() == quote


def test_every_link_to_evidence_leads_to_a_file(repaired: Recorded) -> None:
    """A worklog is checked by clicking."""
    text = render_worklog(repaired.lines, repaired.store)
    linked = set(re.findall(r"\]\(evidence/([^)]+)\)", text))
    assert linked
    assert all((repaired.folder.evidence / digest).is_file() for digest in linked)


def test_evidence_that_is_gone_or_changed_is_named(repaired: Recorded, tmp_path: Path) -> None:
    """Quotes are looked up once more when the worklog is made."""
    text = render_worklog(repaired.lines, EvidenceStore(tmp_path / "nothing"))
    assert "**does not resolve any more**: evidence is missing" in text
    assert "| missing or changed |" in text
    assert "| unchanged |" not in text


def test_a_blocked_run_says_what_a_person_has_to_do(blocked: Recorded) -> None:
    """The service, its own last words, the action, the suite that was left out."""
    text = _without_digests(render_worklog(blocked.lines, blocked.store))
    assert "**blocked** (exit code 10)" in text
    assert "`auth`: exited with 78 before it was ready; it says `auth: SERVICE_SECRET is not set`" in text
    assert "1. Set SERVICE_SECRET in ../staging.env for service auth, then run the loop again." in text
    assert "| `auth-routes` | P3 | USD 40,000 | needs auth: exited with 78 before it was ready |" in text
    assert "USD 40,000 a month, configured for 1 suite" in text
    assert "# Pull requests" not in text


def test_a_green_run_claims_no_more_than_green(green: Recorded) -> None:
    """No failing tests, no culprit, no value at risk."""
    text = render_worklog(green.lines, green.store)
    assert "finished: passed" in text
    for absent in ("Failing tests", "Value at risk in", "Culprit search", "Five whys", "Remedies"):
        assert absent not in text


def test_a_remedy_that_cannot_be_made_names_its_conflicts(conflicting: Recorded) -> None:
    """What was tried and failed is told as well."""
    text = render_worklog(conflicting.lines, conflicting.store)
    assert "could not be made: the revert conflicts" in text
    assert "- Conflicts: `cart.py`" in text
    assert "There is no baseline" in text


def test_a_killed_run_says_that_its_outcome_is_not_known(killed: Recorded) -> None:
    """What was under way is neither passed nor failed."""
    text = render_worklog(killed.lines, killed.store)
    assert "no outcome yet: the log ends, in cycle 1, phase execute" in text
    assert "| not over when the log ends |" in text
    assert "open when the log ends" in text
    assert "Pass rate" in text
    assert "not measured" in text


def test_it_can_be_made_of_every_beginning_of_a_log(
    repaired: Recorded, blocked: Recorded, talked: Recorded
) -> None:
    """A run may be watched, or die, at any line."""
    for run in (repaired, blocked, talked):
        for end in range(len(run.lines) + 1):
            text = render_worklog(run.lines[:end], run.store)
            assert text.startswith("# Worklog")
            assert "Undefined" not in text


def test_a_log_without_a_usable_configuration_still_gives_a_worklog(tmp_path: Path) -> None:
    """A run that was refused at once."""
    with Session(RunFolder(tmp_path)) as session:
        session.append(RunStarted(run="r1", version="0", root="", config_file="", focus=""))
        text = render_worklog(list(session.replay()), session.store)
    assert "**Base revision:** not known" in text
    assert "Nothing was measured before the log ends." in text


def test_agents_have_a_row_each_with_what_they_cost(talked: Recorded) -> None:
    """What nobody counted is the least it was, a guess is a guess, and the transcript is a click away."""
    text = render_worklog(talked.lines, talked.store)
    rows = _rows(text, "## Agents")
    assert len(rows) == 4
    link = "[transcripts/c1-analyse-K1-1.jsonl](transcripts/c1-analyse-K1-1.jsonl)"
    said = "answered: 1 finding; 1 of 2 did not pass the gate"
    assert rows[0] == (
        f"| `c1/analyse/K1/1` | `failure_analyst` | K1 | {said} | 3 | 3,060 | USD 0.0369 | 75 % | {link} |"
    )
    assert "| at least 810 (estimated) | at least USD 1.50 (estimated) | 0 % |" in rows[1]
    assert "inconclusive: the server was silent for 5 s" in rows[1]
    assert rows[3].startswith("| **all** |")
    assert "| 6 | at least 4,890 (estimated) | at least USD 1.55 (estimated) | 62 % |" in rows[3]
    assert all((talked.folder.path / one).is_file() for one in re.findall(r"\]\((transcripts/[^)]+)\)", text))


def test_claims_name_who_proposed_them(talked: Recorded) -> None:
    """What passed, what did not with its reasons, and what an agent was told on the way."""
    text = render_worklog(talked.lines, talked.store)
    assert "This was proposed by `failure_analyst`, checked by the gate (`c1/analyse/K1/1`)." in text
    rejected = text[text.index("### Rejected findings") : text.index("## Agents")]
    assert (
        "**F2** The moon did it (proposed by `failure_analyst`)\n  - E9 is not evidence of this run"
        in rejected
    )
    sent_back = text[text.index("Answers that the gate sent back:") :]
    assert "- `failure_analyst` in `c1/analyse/K1/1`, turn 2\n  - The moon did it: E9 was never" in sent_back


def test_what_agents_say_does_not_become_markup(talked: Recorded) -> None:
    """Reasons quote them, and they quote whatever they were given."""
    text = render_worklog(talked.lines, talked.store)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inlines = [child for token in tokens for child in token.children or ()]
    assert not any(token.type == "html_block" for token in tokens)
    assert not any(child.type == "html_inline" for child in inlines)
    assert "\x1b" not in text and "\u202e" not in text


def test_without_dispatches_there_is_no_section_for_them(repaired: Recorded) -> None:
    """A run from instruments alone does not speak of agents."""
    text = render_worklog(repaired.lines, repaired.store)
    assert "## Agents" not in text
    assert "proposed by" not in text


def test_pauses_and_rejected_findings_are_told(repaired: Recorded, tmp_path: Path) -> None:
    """A rejected claim stands there with its reasons and counts for nothing."""
    folder = RunFolder(tmp_path / "r")
    folder.path.mkdir()
    with Session(folder) as session:
        for line in repaired.lines[:60]:
            assert not isinstance(line.event, UnknownEvent)
            session.append(line.event)
        claim = Finding(id="F9", kind="observation", title="The moon did it", statement="surely")
        session.append(FindingRejected(proposed=claim, reasons=("E999 is not evidence of this run",)))
        session.append(RunPaused(reason="SIGINT"))
        session.append(RunResumed(version="0.1.0"))
        text = render_worklog(list(session.replay()), repaired.store)
    assert "### Rejected findings" in text
    assert "**F9** The moon did it" in text
    assert "E999 is not evidence of this run" in text
    assert "paused: SIGINT" in text
    assert "resumed by version 0.1.0" in text


def test_text_from_outside_does_not_become_markup(nasty: Recorded) -> None:
    """Test names, messages and subjects with bars, backticks, fences and headings leave the structure alone."""
    text = render_worklog(nasty.lines, nasty.store)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    assert not any(token.type == "html_block" for token in tokens)
    inlines = [child for token in tokens for child in token.children or ()]
    assert not any(child.type == "html_inline" for child in inlines)
    links = [str(child.attrs["href"]) for child in inlines if child.type == "link_open"]
    assert all(re.fullmatch(r"evidence/[0-9a-f]{64}|pull_request\.md", href) for href in links)
    titles = [
        tokens[number + 1].content.split(":")[0]
        for number, token in enumerate(tokens)
        if token.type == "heading_open"
    ]
    assert not any("Heading" in title for title in titles)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_every_row_has_the_cells_of_its_header(nasty: Recorded, repaired: Recorded) -> None:
    """A bar in a test name would shift every number after it."""
    for run in (nasty, repaired):
        text = render_worklog(run.lines, run.store)
        width = 0
        for row in text.splitlines():
            if not row.startswith("|"):
                width = 0
                continue
            cells = len(re.findall(r"(?<!\\)\|", row)) - 1
            width = width or cells
            assert cells == width, row


@pytest.mark.parametrize("word", ["MISSION", "accomplished", "!", "🎉", "✅", "expected 100"])
def test_its_words_are_sober(repaired: Recorded, word: str) -> None:
    """It reports; it does not celebrate and does not predict."""
    assert word not in _without_digests(render_worklog(repaired.lines, repaired.store))


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"/srv/runs/{RUN}/pull_request.md", "[pull_request.md](pull_request.md)"),
        ("https://forge.example/pull/7", "[https://forge.example/pull/7](https://forge.example/pull/7)"),
        ("/elsewhere/pull_request.md", "`/elsewhere/pull_request.md`"),
    ],
)
def test_a_pull_request_is_linked_as_the_worklog_sees_it(
    record: Callable[[Staging], Recorded], address: str, shown: str
) -> None:
    """A file of the run's folder by its name, so that the folder can be moved; a URL as it is."""
    run = record(Staging(address=address))
    assert f"| R1 | {shown} |" in render_worklog(run.lines, run.store)


def test_a_pull_request_of_another_run_is_called_so(record: Callable[[Staging], Recorded]) -> None:
    """Everywhere it is named: who opened it and where; its file is no file of this folder, whatever its path."""
    by = "run other on far"
    run = record(Staging(address=f"/srv/runs/{RUN}/pull_request.md", opened_by=by))
    text = render_worklog(run.lines, run.store)
    assert f"| R1 | `/srv/runs/{RUN}/pull_request.md` |" in text
    assert f"| already opened by {by} |" in text
    assert f"R1 is shown by a pull request that {by} opened already" in text
    assert f"already opened by {by} (/srv/runs/{RUN}/pull_request.md there" in text
    assert "**repaired**" in text


def test_that_other_runs_could_not_be_asked_is_said(record: Callable[[Staging], Recorded]) -> None:
    """In the table, and in what is to be done."""
    run = record(Staging(unasked="origin is away"))
    text = render_worklog(run.lines, run.store)
    assert "open, ready for review; other runs could not be asked: origin is away" in text
    assert "Other runs could not be asked whether they opened it too: origin is away." in text


def test_each_failing_test_has_its_own_words_and_evidence(repaired: Recorded) -> None:
    """Nobody has to look elsewhere for what a test said."""
    text = _without_digests(render_worklog(repaired.lines, repaired.store))
    part = text[text.index("#### Failing tests") : text.index("#### Tests that gave no verdict")]
    assert part.count("InvalidStatus: server rejected WebSocket connection: HTTP 200") == 3
    assert len(re.findall(r"\[E\d+\]", part)) == 3
