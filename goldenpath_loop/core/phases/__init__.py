"""The phase table: what may follow what. The table is the machine; its drawing is made from it.

A phase closes with one of five results. `done` and `degraded` go on (degraded: something is out, and said so),
`nothing_to_do` ends early because there is nothing left to do, `sent_back` is an arrow back with its reason in
the log, `stopped` ends the run. An arrow to `cycle` starts the next cycle, one to `end` asks
`outcome.outcome_of` how the run ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from goldenpath_loop.core.phases import (
    deploy_check,
    execute,
    five_whys,
    pull_request,
    ssot_audit,
    stability_proof,
    test_select,
)
from goldenpath_loop.core.step import Scene, Step
from goldenpath_loop.records.events import PhaseName, PhaseResult

__all__ = ["FIRST", "PHASES", "Next", "Phase", "diagram"]

Next = PhaseName | Literal["cycle", "end"]


@dataclass(frozen=True, slots=True)
class Phase:
    """One row of the table."""

    name: PhaseName
    agent: str
    """The agent that may read this phase's evidence and propose; data in `agents/`."""
    decide: Callable[[Scene], Step]
    then: Mapping[PhaseResult, Next]


FIRST: PhaseName = "deploy_check"

PHASES: dict[PhaseName, Phase] = {
    phase.name: phase
    for phase in (
        Phase(
            "deploy_check",
            "deploy_checker",
            deploy_check.decide,
            {"done": "test_select", "degraded": "test_select", "stopped": "end"},
        ),
        Phase(
            "test_select",
            "test_selector",
            test_select.decide,
            {"done": "execute", "degraded": "execute", "stopped": "end"},
        ),
        Phase(
            "execute",
            "",
            execute.decide,
            {"done": "five_whys", "nothing_to_do": "end"},
        ),
        Phase(
            "five_whys",
            "failure_analyst",
            five_whys.decide,
            {"done": "ssot_audit", "stopped": "end"},
        ),
        Phase(
            "ssot_audit",
            "ssot_auditor",
            ssot_audit.decide,
            {"done": "stability_proof", "sent_back": "five_whys"},
        ),
        Phase(
            "stability_proof",
            "stability_prover",
            stability_proof.decide,
            {"done": "pull_request", "sent_back": "five_whys"},
        ),
        Phase(
            "pull_request",
            "pr_author",
            pull_request.decide,
            {"done": "cycle", "stopped": "end"},
        ),
    )
}


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {FIRST}"]
    for phase in PHASES.values():
        for result, following in phase.then.items():
            target = {"cycle": FIRST, "end": "[*]"}.get(following, following)
            label = f"{result}, next cycle" if following == "cycle" else result
            lines.append(f"    {phase.name} --> {target}: {label}")
    return "\n".join(lines)
