"""The phase table: every way out of a phase leads somewhere, and its drawing is the table."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import get_args

import pytest

from goldenpath_loop.core.phases import FIRST, PHASES, diagram
from goldenpath_loop.records.events import PhaseName, PhaseResult
from goldenpath_loop.team.load import load_team, packaged_folder

DRAWN = """\
stateDiagram-v2
    [*] --> deploy_check
    deploy_check --> test_select: done
    deploy_check --> test_select: degraded
    deploy_check --> [*]: stopped
    test_select --> execute: done
    test_select --> execute: degraded
    test_select --> [*]: stopped
    execute --> five_whys: done
    execute --> [*]: nothing_to_do
    five_whys --> ssot_audit: done
    five_whys --> [*]: stopped
    ssot_audit --> stability_proof: done
    ssot_audit --> five_whys: sent_back
    stability_proof --> pull_request: done
    stability_proof --> five_whys: sent_back
    pull_request --> deploy_check: done, next cycle
    pull_request --> [*]: stopped"""


def test_every_phase_has_its_row() -> None:
    """Under its own name, in the order of the walk."""
    assert tuple(PHASES) == get_args(PhaseName)
    assert all(name == phase.name for name, phase in PHASES.items())
    assert next(iter(PHASES)) == FIRST


def test_the_drawing_is_the_table() -> None:
    """Word by word, so that a change of the table is seen in review."""
    assert diagram() == DRAWN


def test_every_arrow_leads_to_a_phase_a_cycle_or_the_end() -> None:
    """And from the first phase every other can be reached, and from every phase the end."""
    for phase in PHASES.values():
        assert set(phase.then.values()) <= {*PHASES, "cycle", "end"}
    reached, waiting = set[str](), [str(FIRST)]
    while waiting:
        name = waiting.pop()
        if name in PHASES and name not in reached:
            reached.add(name)
            waiting += [FIRST if one == "cycle" else one for one in PHASES[name].then.values()]
    assert reached == set(PHASES)


def results_in(phase: str) -> set[str]:
    """Results that the phase's module names."""
    module = inspect.getmodule(PHASES[phase].decide)  # type: ignore[index]
    assert module is not None
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {name for name in get_args(PhaseResult) if name in words}


@pytest.mark.parametrize("phase", list(PHASES))
def test_every_result_a_phase_can_have_has_its_arrow_and_no_arrow_is_idle(phase: str) -> None:
    """A result without an arrow would stop the engine; an arrow nobody takes would be a wrong drawing."""
    assert results_in(phase) == set(PHASES[phase].then)  # type: ignore[index]


def test_the_agents_of_the_table_exist() -> None:
    """The table names agents; they are data beside the code."""
    named = {phase.agent for phase in PHASES.values() if phase.agent}
    assert named <= set(load_team([packaged_folder()]).agents)
