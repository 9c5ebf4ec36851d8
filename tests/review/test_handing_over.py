"""Where a run left off when a limit stood in its way, wherever a person looks."""

from __future__ import annotations

import io
import re
from pathlib import Path

import anyio
import pytest
from rich.console import Console

from goldenpath_loop.core.state import fold
from goldenpath_loop.records.hand_off import ClusterStand, HandOff, LimitUse
from goldenpath_loop.records.policy import Limits
from goldenpath_loop.review.charges import Charge
from goldenpath_loop.review.closing import closing_lines
from goldenpath_loop.review.handing_over import hand_off_rows
from goldenpath_loop.review.story import story_lines
from goldenpath_loop.review.summary import status_of, summarise
from goldenpath_loop.review.worklog import render_worklog
from goldenpath_loop.session.folder import RunFolder

from .conftest import NASTY, Recorded, loaded
from .staging import RUN, Staging, staging_policy, write_run

MORE = "GOLDENPATH_LIMITS__PULL_REQUESTS=1 loop start --config checkout/goldenpath.toml --focus goldenpath"


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """The chat route is found and its repair proven, but nothing may be shown."""
    folder = RunFolder(tmp_path_factory.mktemp("runs") / RUN)
    policy = staging_policy(limits=Limits(pull_requests=0))
    anyio.run(lambda: write_run(folder, Staging(subject=NASTY), policy=policy))
    return Recorded(folder, *loaded(folder))


def record_of(run: Recorded) -> HandOff:
    """Its hand-off."""
    finished = fold(run.lines).finished
    assert finished is not None and finished.hand_off is not None
    return finished.hand_off


def test_the_worklog_has_a_section_for_it(limited: Recorded) -> None:
    """Limits, clusters, what is proven with its head, and how to get more."""
    text = render_worklog(limited.lines, limited.store)
    _, _, section = text.partition("### Hand-off")
    section = section.partition("Next actions:")[0]
    (left,) = record_of(limited).remedies
    assert "- **Limit:** pull requests ended the run: 0 of 0" in section
    assert f"- **Another run with more:** `{MORE}`" in section
    assert f"`loop limits {RUN} --set pull_requests=1` would have let it go on" in section
    assert re.search(r"\| `duration_s` \| \d\.\d\d s of 2 h 00 min \|", section)
    assert "| `cost_usd` | USD 0.00 of 20.00 |" in section
    assert "| K1 | proven | tests/e2e/test_websocket_events.py" in section
    assert (
        f"- **R1** is proven and has no pull request: branch `{left.branch}` at `{left.head}`, for K1"
        in section
    )
    for line in section.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (3, 4)


def test_other_runs_have_no_such_section(repaired: Recorded, blocked: Recorded) -> None:
    """There is nothing to hand over."""
    for run in (repaired, blocked):
        assert "Hand-off" not in render_worklog(run.lines, run.store)
        assert not any("hand-off" in text.plain for text in story_lines(run.lines))


def test_the_story_ends_with_it(limited: Recorded) -> None:
    """`loop show` says it below the outcome."""
    told = [text.plain for text in story_lines(limited.lines)]
    at = next(number for number, text in enumerate(told) if "outcome pull_request_limit" in text)
    assert [text.partition("hand-off, ")[2].partition(":")[0] for text in told[at + 1 :]] == [
        "limit", "left off", "K1", "proven", "more",
    ]  # fmt: skip


def test_the_end_of_a_run_says_it_in_few_lines(limited: Recorded) -> None:
    """A command can be copied in one piece, however narrow the terminal is."""
    for width in (None, 50):
        lines = closing_lines(fold(limited.lines), Charge(), Path("worklog.md"), width=width)
        shown = [text.plain for text in lines]
        assert f"  {'more':<14}{MORE}" in shown
        assert f"  {'limit':<14}pull requests ended the run: 0 of 0"[:45] in "\n".join(shown)
        assert sum(text.startswith("  proven") for text in shown) == 1


def test_the_status_says_it_as_words_and_as_data(limited: Recorded) -> None:
    """So does the list, as data."""
    found = summarise(limited.lines, run="x", is_held=False)
    assert found.hand_off == record_of(limited)
    console = Console(file=io.StringIO(), width=160)
    console.print(status_of(found))
    assert isinstance(console.file, io.StringIO)
    assert MORE in console.file.getvalue()


def stand(number: int) -> ClusterStand:
    """A cluster whose culprit is somewhere in history."""
    return ClusterStand(
        cluster=f"K{number}",
        test="t.py::t",
        tests=3,
        stage="triaged",
        statement="regression; its culprit is one of 2 commits",
        left=2,
        newest="a" * 40,
        oldest="b" * 40,
    )


def test_many_clusters_are_counted() -> None:
    """The rest stands in the worklog."""
    record = HandOff(
        reached=("attempts/K1", "cost_usd", "duration_s"),
        ended_by="duration_s",
        spent=(
            LimitUse(limit="attempts", allowed=3, used=3),
            LimitUse(limit="cost_usd", allowed=20, used=0.3675),
            LimitUse(limit="duration_s", allowed=7200, used=7201.4),
            LimitUse(limit="tokens", allowed=5_000_000, used=361_351),
        ),
        cycle=2,
        phase="five_whys",
        unfinished=("probe/1", "probe/2"),
        clusters=tuple(map(stand, range(1, 8))),
        while_it_ran="loop limits x --set duration=4h",
    )
    rows = list(hand_off_rows(record))
    assert rows[0] == (
        "limit",
        "attempts for K1 were used up: 3 of 3; cost ran out: USD 0.3675 of 20.00; "
        "duration ended the run: 2 h 00 min of 2 h 00 min",
    )
    assert rows[1] == ("left off", "cycle 2, phase five_whys; ended before it was over: probe/1, probe/2")
    assert rows[2] == (
        "K1",
        "t.py::t and 2 more: regression; its culprit is one of 2 commits, bbbbbbbbbbbb to aaaaaaaaaaaa",
    )
    assert rows[-1] == ("", "2 more clusters stand in the worklog")
    assert len(rows) == 8
