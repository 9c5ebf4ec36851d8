"""Who of the team is asked, and about what: analyst, sceptic and fixer for failures that history cannot explain.

Instruments come first: a cluster with a confirmed culprit whose remedy holds costs no question. Nothing an agent
says decides anything here. Its claims go before the gate, its patch becomes a remedy that has to be proven by runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from goldenpath_loop.core.briefs import (
    chain_text,
    cluster_text,
    culprit_text,
    earlier_text,
    measurements_text,
)
from goldenpath_loop.core.consultation import consult
from goldenpath_loop.core.deployments import cycle_revision
from goldenpath_loop.core.readings import suite_key
from goldenpath_loop.core.remedies import Remedy, remedies
from goldenpath_loop.core.step import Scene, Step, request
from goldenpath_loop.core.targets import result_of, selections_of
from goldenpath_loop.records.agents import ProposedPatch
from goldenpath_loop.records.effects import ApplyPatch, DispatchAgent
from goldenpath_loop.records.events import LimitReached
from goldenpath_loop.records.findings import Cluster, Finding
from goldenpath_loop.records.receipts import DispatchReceipt, SuiteReceipt

__all__ = ["ask_team", "begun_patches", "chain_of", "explanation_of", "patch_of"]

_OPENING = 4
_FELL = ("not_cured", "trade_off", "unproven")


def ask_team(scene: Scene) -> Step | None:
    """The next thing to do with what the instruments left open; None when nothing is, or there is nobody to ask."""
    if not scene.policy.model.name:
        return None
    if any(one.cluster and not scene.state.is_over(one.key) for one in remedies(scene.state)):
        return Step()
    waiting = [_Work(scene, cluster) for cluster in scene.state.clusters if _is_open(scene, cluster)]
    for stage in (_analyse, _doubt, _fix):
        step = stage(scene, waiting)
        if step is not None:
            return step
    return None


def begun_patches(scene: Scene) -> Step | None:
    """Have every patch made that this cycle's fixers proposed: a pause or a crash may have let only some of them be."""
    stem = f"c{scene.cycle}/fix/"
    asked = [record.effect for record in scene.state.effects.values() if record.effect.key.startswith(stem)]
    patches = [_patch(scene, one) for one in asked if isinstance(one, DispatchAgent)]
    return request(scene.state, [one for one in patches if one is not None])


def chain_of(scene: Scene, cluster: Cluster) -> Finding | None:
    """The latest why-chain of an agent about `cluster` that passed the gate."""
    found = [
        one
        for one in scene.state.findings
        if one.kind == "why_chain" and one.cluster == cluster.id and one.chain and one.dispatch
    ]
    return found[-1] if found else None


def patch_of(scene: Scene, remedy: Remedy) -> ProposedPatch | None:
    """What the fixer said with the patch of `remedy`."""
    receipt = scene.state.settled(remedy.dispatch, DispatchReceipt)
    return receipt.answer if receipt and isinstance(receipt.answer, ProposedPatch) else None


def explanation_of(scene: Scene, cluster: Cluster) -> Finding | None:
    """What a fixer has to go by: a chain, or else what an agent observed with the hypotheses that it drew from it."""
    supposed = [
        one
        for one in scene.state.findings
        if one.kind == "observation" and one.cluster == cluster.id and one.hypotheses and one.dispatch
    ]
    return chain_of(scene, cluster) or (supposed[-1] if supposed else None)


@dataclass(frozen=True, slots=True)
class _Work:
    scene: Scene
    cluster: Cluster

    def key(self, what: str, number: int = 1) -> str:
        """Key of a dispatch about the cluster."""
        return f"c{self.scene.cycle}/{what}/{self.cluster.id}/{number}"

    @property
    def opening(self) -> tuple[str, ...]:
        """Results of its tests, and what the services said meanwhile: what every brief about it opens with."""
        state = self.scene.state
        results = (result_of(state, test) for test in self.cluster.tests[:_OPENING])
        said = [found[1].evidence for found in results if found and found[1].evidence]
        for suite in self.cluster.suites:
            run = state.effects.get(suite_key(self.scene.cycle, suite))
            if run is not None and isinstance(run.receipt, SuiteReceipt):
                of_tests = {one.evidence for one in run.receipt.run.results}
                said += [
                    one for one in run.evidence if one not in of_tests and one != run.receipt.run.console
                ]
        return tuple(dict.fromkeys(said))

    @property
    def patches(self) -> tuple[Remedy, ...]:
        """Patches for it so far."""
        return tuple(one for one in remedies(self.scene.state) if one.cluster == self.cluster.id)


def _is_open(scene: Scene, cluster: Cluster) -> bool:
    """Whether a failure of the product is left that no remedy made so far mends or may still mend."""
    triage = scene.state.verdict("triage", cluster.id)
    if triage is None or triage.value not in ("regression", "intermittent"):
        return False
    culprit = scene.state.verdict("culprit", cluster.id)
    commit = culprit.revision if culprit is not None and culprit.value == "confirmed" else None
    aimed = [
        one
        for one in remedies(scene.state)
        if one.cluster == cluster.id or (commit is not None and one.commit == commit)
    ]
    return all(_is_lost(scene, one) for one in aimed)


def _is_lost(scene: Scene, remedy: Remedy) -> bool:
    if remedy.head is None:
        return remedy.receipt is not None or scene.state.failed(remedy.key) is not None
    proof = scene.state.verdict("stability", remedy.id)
    audit = scene.state.verdict("audit", remedy.id)
    return (proof is not None and proof.value in _FELL) or (audit is not None and audit.value == "violations")


def _analyse(scene: Scene, waiting: list[_Work]) -> Step | None:
    revision = cycle_revision(scene)
    assert revision is not None
    asked = [
        DispatchAgent(
            key=one.key("analyse"),
            agent="failure_analyst",
            subject=one.cluster.id,
            inputs={
                "cluster": cluster_text(scene, one.cluster),
                "measurements": measurements_text(scene, one.cluster),
                "revision": revision,
            },
            opening=one.opening,
            revision=revision,
        )
        for one in waiting
    ]
    return consult(scene, asked)


def _doubt(scene: Scene, waiting: list[_Work]) -> Step | None:
    revision = cycle_revision(scene)
    assert revision is not None
    explained = [(one, chain) for one in waiting if (chain := chain_of(scene, one.cluster)) is not None]
    asked = [
        DispatchAgent(
            key=one.key("doubt"),
            agent="sceptic",
            subject=one.cluster.id,
            inputs={"chain": chain_text(chain), "revision": revision},
            opening=tuple(dict.fromkeys((*one.opening, *_cited(chain)))),
            revision=revision,
        )
        for one, chain in explained
    ]
    return consult(scene, asked)


def _fix(scene: Scene, waiting: list[_Work]) -> Step | None:
    """One patch at a time for each cluster; what earlier ones did when measured stands in the brief."""
    revision = cycle_revision(scene)
    assert revision is not None
    asked: list[DispatchAgent] = []
    spent: list[LimitReached] = []
    for one in waiting:
        chain, number = explanation_of(scene, one.cluster), len(one.patches) + 1
        if chain is None:
            continue
        if number > scene.policy.limits.attempts:
            name = f"attempts/{one.cluster.id}"
            if name not in scene.state.limits_reached:
                spent.append(LimitReached(limit=name, allowed=scene.policy.limits.attempts, used=number - 1))
            continue
        asked.append(
            DispatchAgent(
                key=one.key("fix", number),
                agent="fixer",
                subject=one.cluster.id,
                inputs={
                    "chain": chain_text(chain, _objections(scene, one)),
                    "culprit": culprit_text(scene, one.cluster),
                    "allowed": "\n".join(scene.policy.target.patchable) or "everything but tests",
                    "earlier": earlier_text(scene, one.patches),
                    "revision": revision,
                },
                opening=tuple(dict.fromkeys((*one.opening, *_cited(chain)))),
                revision=revision,
                tests=selections_of(scene.state, one.cluster.tests),
            )
        )
    if spent:
        return Step(events=tuple(spent))
    step = consult(scene, asked)
    if step is not None:
        return step
    patches = [patch for one in asked if (patch := _patch(scene, one)) is not None]
    return request(scene.state, patches)


def _patch(scene: Scene, asked: DispatchAgent) -> ApplyPatch | None:
    receipt = scene.state.settled(asked.key, DispatchReceipt)
    answer = receipt.answer if receipt else None
    if not isinstance(answer, ProposedPatch) or not (answer.diff.strip() or answer.edits):
        return None
    cluster = next(one for one in scene.state.clusters if one.id == asked.subject)
    number = asked.key.rsplit("/", 1)[-1]
    name = re.sub(r"[^a-z0-9]+", "-", cluster.tests[0].rsplit("::", 1)[-1].lower()).strip("-")[:40]
    stem = f"{name}-{asked.revision[:8]}-{number}"
    tests = "\n".join(f"- {test}" for test in cluster.tests[:20])
    chain = chain_of(scene, cluster)
    return ApplyPatch(
        key=f"remedy/patch/{scene.cycle}/{cluster.id}/{number}",
        cluster=cluster.id,
        dispatch=asked.key,
        diff=answer.diff,
        edits=answer.edits,
        onto=asked.revision,
        branch=f"goldenpath/fix-{stem}",
        tree=f"remedy-fix-{stem}",
        message=f"Fix {cluster.tests[0].rsplit('::', 1)[-1]}\n\n"
        + (f"{chain.chain[-1].cause}\n\n" if chain else "")
        + f"These tests fail without it:\n\n{tests}\n",
    )


def _objections(scene: Scene, work: _Work) -> tuple[Finding, ...]:
    return tuple(one for one in scene.state.findings if one.dispatch == work.key("doubt"))


def _cited(found: Finding) -> tuple[str, ...]:
    of_links = (one for link in found.chain for one in (link.effect_citation, link.cause_citation))
    return tuple(one.evidence for one in (*of_links, *found.citations))
