"""With a model the loop mends what no revert can; with a bad one it says the same as without any."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from goldenpath_loop.core.remedies import is_proven, remedies
from goldenpath_loop.core.state import State
from goldenpath_loop.records.receipts import DispatchReceipt
from tests.e2e.command import LOOP, environment, leftovers, only_run, state_of, typed
from tests.e2e.library import LIBRARY_CONFIG, Library, build_library, git
from tests.model_server import Behaviour, Fault, ModelServer, serve
from tests.model_server.behaviours.broken import Broken
from tests.model_server.behaviours.competent import Competent
from tests.model_server.behaviours.endless import Endless
from tests.model_server.behaviours.lazy import Lazy
from tests.model_server.behaviours.liar import LIES, Liar

_MODEL = """
[model]
name = "scripted"
base_url = "{url}"
prompt_usd = 1.0
answer_usd = 4.0
timeout_s = 3.0
"""


@contextmanager
def asked(folder: Path, behaviour: Behaviour, more: str = "") -> Iterator[tuple[Library, ModelServer]]:
    """A library that was broken from its first commit, and a model to ask about it."""
    with serve(behaviour) as server:
        config = LIBRARY_CONFIG + _MODEL.format(url=server.base_url) + more
        yield build_library(folder, commits=4, culprit=1, config=config), server
    assert server.problems == []


def dispatches(state: State) -> dict[str, DispatchReceipt]:
    """What came of every question, by agent."""
    found = [record.receipt for record in state.effects.values()]
    return {one.agent: one for one in found if isinstance(one, DispatchReceipt)}


def test_what_was_never_good_is_repaired_by_a_patch(tmp_path: Path) -> None:
    """Found, tried, audited, proven red-green-red, and pushed as a branch that is green by hand."""
    with asked(tmp_path, Competent(tries_per_turn=4)) as (library, _):
        done = typed("start", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 0, done.errors
    assert done.record["outcome"] == "repaired"
    run = only_run(library.root / "runs")
    state = state_of(run)
    (remedy,) = remedies(state)
    assert remedy.commit is None
    assert remedy.cluster == "K1"
    assert is_proven(state, remedy)
    assert git(library.root, "rev-parse", "main") == library.head
    by_hand = tmp_path / "by-hand"
    git(tmp_path, "clone", "-q", "--branch", remedy.branch, str(library.origin), str(by_hand))
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=by_hand, capture_output=True
    )
    assert tests.returncode == 0, tests.stdout
    text = (run.path / "pull_request.md").read_text()
    assert "older than the tested history" in text
    assert "An agent wrote this patch" in text
    fixer = dispatches(state)["fixer"]
    assert (run.path / fixer.transcript).is_file()
    assert state.usage.cost_usd > 0
    assert not state.open_calls
    assert leftovers(str(tmp_path)) == []


BAD: dict[str, Behaviour] = {
    "lazy": Lazy(),
    "endless, the same": Endless("identical"),
    "endless, always new": Endless("varied"),
    **{f"liar, {lie}": Liar(lie) for lie in LIES},
    "broken, html": Broken(Fault("html")),
    "broken, drop in the middle": Broken(Fault("drop_midway")),
    "broken, truncated": Broken(Fault("truncated_content")),
    "broken, schema": Broken(Fault("wrong_schema")),
    "broken, empty": Broken(Fault("empty_content")),
    "broken, no choices": Broken(Fault("no_choices")),
    "broken, refusal": Broken(Fault("refusal")),
    "broken, too long": Broken(Fault("length")),
    "broken, 500": Broken(Fault("status", status=500)),
    "broken, 400": Broken(Fault("status", status=400)),
    "broken, key": Broken(Fault("status", status=401)),
}


_SAMPLE = ("lazy", "endless, the same", "liar, cut_quote", "broken, drop in the middle", "broken, key")


@pytest.mark.parametrize(
    "name", [name if name in _SAMPLE else pytest.param(name, marks=pytest.mark.full) for name in BAD]
)
def test_a_bad_model_changes_nothing_that_is_true(tmp_path: Path, name: str) -> None:
    """The outcome, the remedies and the findings are those of a run without a model."""
    with asked(tmp_path, BAD[name]) as (library, server):
        done = typed("start", "--json", folder=library.root, cache=tmp_path)
        assert server.requests
    assert done.exit_code == 11, done.errors
    assert done.record["outcome"] == "inconclusive"
    state = state_of(only_run(library.root / "runs"))
    assert remedies(state) == ()
    assert [one for one in state.findings if one.kind == "why_chain"] == []
    assert git(library.root, "branch", "--format=%(refname:short)").split() == ["main"]
    assert not state.open_calls
    limits = state.started.policy.limits if state.started and state.started.policy else None
    assert limits is not None
    assert state.charged.cost_usd <= limits.cost_usd


def test_a_run_without_money_asks_nobody(tmp_path: Path) -> None:
    """Not even once: what a call may cost is reserved before it is made."""
    with asked(tmp_path, Competent(), "[limits]\ncost_usd = 0.0001\n") as (library, server):
        done = typed("start", "--json", folder=library.root, cache=tmp_path)
        assert server.requests == []
    assert done.exit_code == 11, done.errors
    state = state_of(only_run(library.root / "runs"))
    assert state.usage.tokens == 0
    assert state.limits_reached == ("cost_usd",)
    assert done.record["hand_off"]["reached"] == ["cost_usd"]
    assert "GOLDENPATH_LIMITS__COST_USD=0.0002" in done.record["hand_off"]["next_run"]


@pytest.mark.parametrize("how", ["pause", "kill"])
def test_a_conversation_that_is_cut_off_is_held_again(tmp_path: Path, how: str) -> None:
    """After the acknowledgement no model is asked; what the cut-off conversation used still counts."""
    with serve(Competent(tries_per_turn=4), latency_s=0.7) as server:
        config = LIBRARY_CONFIG + _MODEL.format(url=server.base_url)
        library = build_library(tmp_path, commits=4, culprit=1, config=config)
        with subprocess.Popen(
            [*LOOP, "start", "--json"],
            cwd=library.root,
            env=environment(tmp_path),
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            _wait(lambda: len(server.requests) >= 2)
            if how == "pause":
                assert typed("pause", folder=library.root, cache=tmp_path).exit_code == 0
                before = len(server.requests)
                assert process.wait(timeout=60) == 130
                assert len(server.requests) == before
            else:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=60)
        run = only_run(library.root / "runs")
        used = state_of(run).charged
        assert used.tokens > 0
        assert bool(state_of(run).open_calls) == (how == "kill")
        done = typed("resume", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 0, done.errors
    assert done.record["outcome"] == "repaired"
    state = state_of(run)
    assert state.charged.tokens > used.tokens
    assert len([one for one in state.findings if one.dispatch]) == 1
    assert leftovers(str(tmp_path)) == []


def _wait(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.02)


@pytest.mark.full
@pytest.mark.parametrize("scenario", ["missing-case", "innocent-warning"])
def test_scenarios_that_no_revert_mends_are_repaired(tmp_path: Path, scenario: str) -> None:
    """One needs a new entry in a table; in the other the loud suspect is innocent, which trying it shows."""
    site = tmp_path / "site"
    assert typed("demo", str(site), "--scenario", scenario, folder=tmp_path).exit_code == 0
    root = next(place.parent for place in site.glob("*/goldenpath.toml"))
    with serve(Competent(tries_per_turn=4)) as server:
        config = root / "goldenpath.toml"
        config.write_text(config.read_text() + _MODEL.format(url=server.base_url))
        done = typed("start", "--focus", "goldenpath", "--allow-dirty", "--json", folder=root, cache=tmp_path)
    assert done.exit_code == 0, done.errors
    assert done.record["outcome"] == "repaired"
    (remedy,) = remedies(state_of(only_run(root / "runs")))
    assert remedy.commit is None
    assert leftovers(str(tmp_path)) == []
