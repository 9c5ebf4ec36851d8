"""A world on paper whose fault is older than its history, with a team of agents on paper to ask about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from goldenpath_loop.records import effects as asked
from goldenpath_loop.records import receipts
from goldenpath_loop.records.agents import (
    AnyAnswer,
    Objection,
    Objections,
    ProposedFinding,
    ProposedFindings,
    ProposedPatch,
)
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.evidence import Citation
from goldenpath_loop.records.findings import Refuter
from goldenpath_loop.records.policy import Limits, Policy
from goldenpath_loop.records.receipts import AnyReceipt, DispatchReceipt
from goldenpath_loop.records.target import ModelSpec
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.testing import paper_policy

from .worlds import World

__all__ = ["TeamWorld", "team_policy"]

_QUOTE = "AssertionError: assert total == 3"


def team_policy(*, jobs: int = 1, limits: Limits | None = None) -> Policy:
    """A policy of a target without services, with a model."""
    return paper_policy(jobs=jobs, limits=limits).model_copy(update={"model": ModelSpec(name="paper")})


@dataclass
class TeamWorld(World):
    """Broken from the first commit.

    Args:
        cures: Which patch cures, counted from 1; 0 for none.
        quote: What the analyst says that the test said.
        says: How many times it says so.
        unread: Whether it cites what it was never shown.
        spends: Tokens of each dispatch.
        fault: Why no agent answers; empty when they do.
    """

    cures: int = 1
    quote: str = _QUOTE
    says: int = 1
    unread: bool = False
    spends: int = 100
    fault: str = ""
    patched: dict[str, int] = field(default_factory=dict)
    """Patches by the revision that holds them."""

    def is_red(self, revision: str, test: str) -> bool:
        """Whether `test` fails on `revision`."""
        if revision in self.patched:
            return test in self.broken and (not self.cures or self.patched[revision] < self.cures)
        return World.is_red(self, revision, test)

    async def perform(self, effect: AnyEffect, witness: Witness) -> AnyReceipt:
        """Answer one effect."""
        match effect:
            case asked.DispatchAgent():
                self.asked.append(effect)
                self.performed.append(effect.key)
                return DispatchReceipt(
                    agent=effect.agent,
                    answer=None if self.fault else self._answer(effect),
                    problem=self.fault,
                    read=() if self.unread else effect.opening,
                    turns=1,
                )
            case asked.ApplyPatch():
                self.asked.append(effect)
                self.performed.append(effect.key)
                number = int(effect.key.rsplit("/", 1)[-1])
                head = f"{number:08x}".rjust(12, "c").ljust(40, "0")
                self.patched[head] = number
                self.trees[effect.tree] = head
                return receipts.RemedyReceipt(branch=effect.branch, head=head, files=("cart.py",))
            case _:
                return await World.perform(self, effect, witness)

    def _answer(self, effect: asked.DispatchAgent) -> AnyAnswer | None:
        citation = Citation(evidence=effect.opening[0], quote=self.quote) if effect.opening else None
        match effect.agent:
            case "failure_analyst":
                assert citation is not None
                claim = ProposedFinding(
                    kind="observation",
                    title="The total is wrong",
                    statement="It adds up to something else",
                    citations=(citation,),
                    hypotheses=("cart.py adds wrongly",),
                )
                return ProposedFindings(findings=(claim,) * self.says)
            case "sceptic":
                found = Refuter(looked_for="another cause", found=True, citation=citation)
                return Objections(objections=(Objection(link=1, refuter=found, statement="weak"),))
            case "fixer":
                return ProposedPatch(diff=f"patch {effect.key}", refuted_by="a red test")
            case _:
                return None
