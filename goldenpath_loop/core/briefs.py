"""What an agent is told, in words made from measurements."""

from __future__ import annotations

from collections.abc import Sequence

from goldenpath_loop.core.remedies import Remedy
from goldenpath_loop.core.step import Scene
from goldenpath_loop.core.targets import result_of
from goldenpath_loop.records.effects import ApplyPatch
from goldenpath_loop.records.findings import Cluster, Finding

__all__ = ["chain_text", "cluster_text", "culprit_text", "earlier_text", "measurements_text"]

_MOST_TESTS = 20
_MESSAGE_CHARS = 1_500


def cluster_text(scene: Scene, cluster: Cluster) -> str:
    """Id, signature and tests of a cluster, with what its first tests said."""
    lines = [f"{cluster.id}: {cluster.signature.key}", f"suites: {', '.join(cluster.suites)}", "tests:"]
    for test in cluster.tests[:_MOST_TESTS]:
        found = result_of(scene.state, test)
        evidence = f" ({found[1].evidence})" if found and found[1].evidence else ""
        lines.append(f"- {test}{evidence}")
        if found and found[1].failure and test in cluster.tests[:3]:
            failure = found[1].failure
            lines += [f"    {line}" for line in failure.message[:_MESSAGE_CHARS].splitlines()]
            lines += [f"    at {frame}" for frame in failure.frames[-4:]]
    if len(cluster.tests) > _MOST_TESTS:
        lines.append(f"- and {len(cluster.tests) - _MOST_TESTS} more")
    return "\n".join(lines)


def measurements_text(scene: Scene, cluster: Cluster) -> str:
    """What was run to find the cause, and what it showed."""
    lines: list[str] = []
    for kind in ("triage", "culprit"):
        verdict = scene.state.verdict(kind, cluster.id)
        lines.append(f"{kind}: {verdict.value}: {verdict.statement}" if verdict else f"{kind}: not done")
    for verdict in scene.state.verdicts:
        if verdict.kind in ("service", "deployment") and verdict.value not in ("healthy", "running"):
            lines.append(f"{verdict.kind} {verdict.subject}: {verdict.value}: {verdict.statement}")
    return "\n".join(dict.fromkeys(lines))


def chain_text(chain: Finding, objections: Sequence[Finding] = ()) -> str:
    """A why-chain, links numbered from 1 at the symptom, and what was said against it."""
    lines = [] if chain.chain else [f"No chain was shown. Observed: {chain.statement}"]
    lines += [f"   {one.evidence}[{one.start}:{one.end}] {one.quote!r}" for one in chain.citations]
    for number, link in enumerate(chain.chain, start=1):
        lines.append(f"{number}. {link.effect}\n   because {link.cause} [{link.kind}]")
        for name, citation in (("effect", link.effect_citation), ("cause", link.cause_citation)):
            lines.append(
                f"   {name}: {citation.evidence}[{citation.start}:{citation.end}] {citation.quote!r}"
            )
        lines.append(f"   looked for against it: {link.refuter.looked_for}")
    lines += [f"hypothesis, not shown: {one}" for one in chain.hypotheses]
    lines += [f"{one.title}: {one.statement}" for one in objections]
    return "\n".join(lines)


def culprit_text(scene: Scene, cluster: Cluster) -> str:
    """How far measurements went towards a guilty change."""
    verdict = scene.state.verdict("culprit", cluster.id)
    lines = [f"{verdict.value}: {verdict.statement}" if verdict else "no search was made"]
    if verdict is not None and verdict.revision:
        lines += [
            one.statement
            for one in scene.state.verdicts
            if one.subject == f"hunks of {verdict.revision[:12]}"
        ]
    return "\n".join(lines)


def earlier_text(scene: Scene, patches: Sequence[Remedy]) -> str:
    """Patches that were tried, and what they did."""
    lines: list[str] = []
    for remedy in patches:
        verdict = scene.state.verdict("stability", remedy.id) or scene.state.verdict("audit", remedy.id)
        said = remedy.receipt.problem if remedy.receipt and remedy.receipt.problem else ""
        lines.append(f"{remedy.id}: {said or (verdict.statement if verdict else 'it was not judged')}")
        effect = scene.state.effects[remedy.key].effect
        if isinstance(effect, ApplyPatch):
            lines += [effect.diff] if effect.diff else []
            lines += [f"{one.path}: {one.search!r} -> {one.replace!r}" for one in effect.edits]
    return "\n".join(lines) or "none"
