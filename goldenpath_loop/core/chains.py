"""The why-chain that instruments alone can build: symptom, mechanism, place, change, escape.

Every link is proposed with quotes from evidence; none of it is believed here. The gate resolves the quotes and
cuts the chain at the first link that does not hold.
"""

from __future__ import annotations

from goldenpath_loop.core.search import commits, confirm_keys, search_keys
from goldenpath_loop.core.readings import next_finding_id
from goldenpath_loop.core.step import Scene
from goldenpath_loop.core.targets import representative, result_of
from goldenpath_loop.records.evidence import Citation
from goldenpath_loop.records.findings import Cluster, Finding, Refuter, WhyLink
from goldenpath_loop.records.receipts import ChangeReceipt, CommitProbeReceipt
from goldenpath_loop.records.results import TestResult
from goldenpath_loop.records.services import ProbeReport
from goldenpath_loop.science.similarity import ScoredHunk, rank_hunks

__all__ = ["why_chain"]


def why_chain(scene: Scene, cluster: Cluster, change: ChangeReceipt) -> Finding | None:
    """The chain from the test's own words to the change and why it got through; None without a symptom."""
    test = representative(cluster)
    found = result_of(scene, test)
    if found is None:
        return None
    symptom = _symptom(found[1])
    if symptom is None:
        return None
    culprit = change.commit.revision
    parent = _parent(scene, culprit)
    links: list[WhyLink] = []
    effect, effect_at = f"{test} fails: {symptom.quote.strip()}", symptom
    runs = confirm_keys(cluster, culprit, parent)
    mechanism = _mechanism(scene, cluster, runs, parent)
    if mechanism is not None:
        text, citation, refuter = mechanism
        links.append(_link("intervention", effect, text, effect_at, citation, refuter, runs))
        effect, effect_at = text, citation
    texts = [symptom.quote, found[1].failure.message if found[1].failure else "", effect]
    place = _place(change, texts)
    if place is not None:
        text, citation, refuter = place
        links.append(_link("call_path", effect, text, effect_at, citation, refuter, ()))
        effect, effect_at = text, citation
    text = f"commit {culprit[:10]} “{change.commit.subject}” by {change.commit.author} brought it in"
    citation = Citation(evidence=change.diff, quote=f"commit {culprit}")
    older = _older_red(scene, cluster, culprit)
    refuter = Refuter(
        looked_for="an older commit on which the test is red in the same way", found=older is not None
    )
    keys = search_keys(scene, cluster)
    links.append(_link("introduced_by", effect, text, effect_at, citation, refuter, keys))
    escape = _escape(change, test)
    if escape is not None:
        links.append(_link("time_order", text, escape[0], citation, escape[1], escape[2], (runs[0],)))
    verdict = scene.state.verdict("culprit", cluster.id)
    return Finding(
        id=next_finding_id(scene.state),
        kind="why_chain",
        title=f"{cluster.id}: {len(cluster.tests)} tests fail since “{change.commit.subject}”",
        statement=verdict.statement if verdict else text,
        cluster=cluster.id,
        chain=tuple(links),
    )


def _link(
    kind: str,
    effect: str,
    cause: str,
    effect_citation: Citation,
    cause_citation: Citation,
    refuter: Refuter,
    measured_by: tuple[str, ...],
) -> WhyLink:
    return WhyLink.model_validate(
        {
            "kind": kind,
            "effect": effect,
            "cause": cause,
            "effect_citation": effect_citation,
            "cause_citation": cause_citation,
            "refuter": refuter,
            "measured_by": measured_by,
        }
    )


def _symptom(result: TestResult) -> Citation | None:
    if result.evidence is None:
        return None
    words = result.failure.message.strip().splitlines() if result.failure else []
    quote = words[0].strip() if words else f"outcome: {result.outcome}"
    return Citation(evidence=result.evidence, quote=quote)


def _parent(scene: Scene, culprit: str) -> str:
    history = commits(scene)
    verdict_keys = [record.effect for record in scene.state.effects.values() if record.effect.kind == "probe_commit"]
    green = {effect.revision for effect in verdict_keys if effect.key.startswith("confirm/")} - {culprit}
    for index, commit in enumerate(history):
        if commit.revision == culprit:
            for older in history[index + 1 :]:
                if older.revision in green:
                    return older.revision
    return culprit


def _mechanism(
    scene: Scene, cluster: Cluster, runs: tuple[str, str], parent: str
) -> tuple[str, Citation, Refuter] | None:
    """The answer of a service that is different on the culprit and on its parent."""
    with_it, before = (scene.state.settled(key, CommitProbeReceipt) for key in runs)
    if with_it is None or before is None:
        return None
    old = {(one.service, probe.probe): probe for one in before.services for probe in one.reports}
    for one in with_it.services:
        for probe in one.reports:
            was = old.get((one.service, probe.probe))
            quote = _changed_answer(probe, was)
            if was is None or quote is None or probe.evidence is None:
                continue
            text = f"{one.service}.{probe.probe} answers on the change: {probe.summary}"
            if not probe.answered:
                text += f"; on its parent: {was.summary}"
            refuter = Refuter(
                looked_for=f"the same answer of {one.service}.{probe.probe} on parent {parent[:10]}",
                found=False,
                citation=_was_citation(was),
            )
            return text, Citation(evidence=probe.evidence, quote=quote), refuter
    return None


def _changed_answer(probe: ProbeReport, was: ProbeReport | None) -> str | None:
    """A line that `probe` answered and `was` did not, apart from what always changes."""
    if was is None:
        return None
    if probe.answered != was.answered:
        return probe.quote or None
    known = {_shape(line) for line in was.answers}
    return next((line for line in probe.answers if _shape(line) not in known), None)


def _shape(line: str) -> str:
    """A line without its numbers and ids: what a message is made of, not what it carries today."""
    return "".join("#" if character.isdigit() else character for character in line)


def _was_citation(was: ProbeReport) -> Citation | None:
    return Citation(evidence=was.evidence, quote=was.quote) if was.evidence and was.quote else None


def _place(change: ChangeReceipt, texts: list[str]) -> tuple[str, Citation, Refuter] | None:
    """The changed line that has most to do with what the test and the service said."""
    ranked: tuple[ScoredHunk, ...] = rank_hunks(change.hunks, texts)
    if not ranked or ranked[0].score <= 0 or not ranked[0].line.strip():
        return None
    best = ranked[0]
    sign = "+" if best.added else "-"
    verb = "adds" if best.added else "removes"
    text = f"{best.hunk.path}: the change {verb} `{best.line.strip()}`"
    rival = ranked[1] if len(ranked) > 1 and ranked[1].score >= best.score else None
    refuter = Refuter(
        looked_for=f"another of the {len(change.hunks)} hunks that speaks of it as much",
        found=rival is not None,
    )
    return text, Citation(evidence=change.diff, quote=f"{sign}{best.line}"), refuter


def _older_red(scene: Scene, cluster: Cluster, culprit: str) -> str | None:
    order = {commit.revision: index for index, commit in enumerate(commits(scene))}
    for key in search_keys(scene, cluster):
        receipt = scene.state.settled(key, CommitProbeReceipt)
        if receipt is None or order.get(receipt.revision, -1) <= order.get(culprit, -1):
            continue
        for run in receipt.runs:
            for result in run.results:
                if result.id == representative(cluster) and result.outcome == "red" and result.signature:
                    if result.signature.key == cluster.signature.key:
                        return receipt.revision
    return None


def _escape(change: ChangeReceipt, test: str) -> tuple[str, Citation, Refuter] | None:
    """Which check should have caught it: the test was there before, or it came later."""
    origin = next((one for one in change.origins if one.id == test), None)
    if origin is None or change.origins_evidence is None:
        return None
    path = test.split("::", 1)[0]
    if origin.existed:
        text = (
            f"{path} was there before the change and fails on it: it was not run, or its failure did not stop "
            "the change"
        )
        quote = f"{path}: existed before the change"
    else:
        text = f"{path} came after the change: nothing tested this when it was merged"
        quote = f"{path}: did not exist before the change"
    refuter = Refuter(looked_for=f"the change touching {path} itself", found=origin.changed_along)
    return text, Citation(evidence=change.origins_evidence, quote=quote), refuter
