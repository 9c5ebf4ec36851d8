"""The why-chain that instruments alone can build: symptom, mechanism, place, change, escape.

Every link is proposed with quotes from evidence; none of it is believed here. The gate resolves the quotes and
cuts the chain at the first link that does not hold.
"""

from __future__ import annotations

import re

from goldenpath_loop.core.readings import next_finding_id
from goldenpath_loop.core.search import commits, confirming_runs, observations, search_keys
from goldenpath_loop.core.step import Scene
from goldenpath_loop.core.targets import rates_of, representative, result_of
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.evidence import Citation
from goldenpath_loop.records.findings import Cluster, Finding, Refuter, WhyLink
from goldenpath_loop.records.receipts import ChangeReceipt, CommitProbeReceipt, TraceReceipt
from goldenpath_loop.records.results import TestResult
from goldenpath_loop.records.services import ProbeReport
from goldenpath_loop.science.localisation import line_words, nearest_line, standing
from goldenpath_loop.science.signature import mask
from goldenpath_loop.science.similarity import ScoredHunk, rank_hunks

__all__ = ["why_chain"]


def why_chain(
    scene: Scene, cluster: Cluster, change: ChangeReceipt, trace: TraceReceipt | None
) -> Finding | None:
    """The chain from the test's own words to the change and why it got through; None without a symptom.

    Args:
        scene: Where the run stands.
        cluster: What is explained.
        change: The change of its confirmed culprit.
        trace: Which lines of the change the failing tests run, where that could be seen.
    """
    test = representative(cluster)
    found = result_of(scene.state, test)
    if found is None:
        return None
    symptom = _symptom(found[1])
    if symptom is None:
        return None
    culprit = change.commit.revision
    runs = confirming_runs(scene, cluster, culprit)
    if runs is None:
        return None
    links: list[WhyLink] = []
    effect, effect_at = f"{test} fails: {symptom.quote.strip()}", symptom
    before = scene.state.settled(runs[1], CommitProbeReceipt)
    mechanism = _mechanism(scene, runs, before.revision if before else culprit, symptom.quote)
    if mechanism is not None:
        text, citation, refuter = mechanism
        links.append(_link("intervention", effect, text, effect_at, citation, refuter, runs))
        effect, effect_at = text, citation
    texts = [symptom.quote, found[1].failure.message if found[1].failure else "", effect]
    place, guess = _place(change, texts, trace)
    if place is not None:
        text, citation, refuter = place
        links.append(_link("call_path", effect, text, effect_at, citation, refuter, ()))
        effect, effect_at = text, citation
    text = f"commit {culprit[:10]} “{change.commit.subject}” by {change.commit.author} brought it in"
    citation = Citation(evidence=change.diff, quote=f"commit {culprit}")
    is_rate = rates_of(scene.state, cluster.id) is not None
    # A test that also failed by chance before was seen red there: the search has weighed that.
    older = None if is_rate else _older_red(scene, cluster, culprit)
    refuter = Refuter(
        looked_for="an older commit on which the test is red in the same way", found=older is not None
    )
    keys = runs if is_rate else search_keys(scene, cluster)
    links.append(_link("introduced_by", effect, text, effect_at, citation, refuter, keys))
    escape = _escape(change, test)
    if escape is not None:
        links.append(_link("time_order", text, escape[0], citation, escape[1], escape[2], (runs[0],)))
    verdict = scene.state.verdict("culprit", cluster.id)
    return Finding(
        id=next_finding_id(scene.state),
        kind="why_chain",
        title=f"{cluster.id}: {counted(cluster.tests, 'test')} red since “{change.commit.subject}”",
        statement=verdict.statement if verdict else text,
        cluster=cluster.id,
        chain=tuple(links),
        hypotheses=(guess,) if guess else (),
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
    quote = words[0].strip() if words and len(words[0].strip()) > 2 else f"outcome: {result.outcome}"
    return Citation(evidence=result.evidence, quote=quote)


def _mechanism(
    scene: Scene, runs: tuple[str, str], parent: str, spoken_of: str
) -> tuple[str, Citation, Refuter] | None:
    """The answer of a service that is different on the culprit and on its parent.

    An answer that is wrong on one and right on the other comes first; else a line that only one of them says.
    """
    with_it, before = (scene.state.settled(key, CommitProbeReceipt) for key in runs)
    if with_it is None or before is None:
        return None
    old = {(one.service, probe.probe): probe for one in before.services for probe in one.reports}
    pairs = [
        (f"{one.service}.{probe.probe}", probe, was)
        for one in with_it.services
        for probe in one.reports
        if probe.evidence is not None and (was := old.get((one.service, probe.probe))) is not None
    ]
    for name, now, was in sorted(pairs, key=lambda pair: pair[1].answered):
        assert now.evidence is not None
        changed = _changed_answer(now, was, spoken_of)
        if changed is None:
            continue
        said, said_before = changed
        refuter = Refuter(
            looked_for=f"the same answer of {name} on {parent[:10]}",
            found=False,
            citation=_was_citation(was),
        )
        text = f"{name} says `{said.strip()}`"
        if not now.answered:
            text += f" ({now.summary})"
        if said_before:
            text += f"; before the change: `{said_before.strip()}`"
        return text, Citation(evidence=now.evidence, quote=said), refuter
    return None


def _changed_answer(now: ProbeReport, was: ProbeReport, spoken_of: str) -> tuple[str, str] | None:
    """What `now` says and `was` did not, with what `was` said instead; numbers, ids and times left aside.

    Of several such lines the one that has most in common with `spoken_of`, the failure's own words.
    """
    if now.answered != was.answered and now.quote:
        return now.quote, was.summary
    before = {mask(line): line for line in was.answers}
    after = {mask(line): line for line in now.answers}
    fresh = [line for shape, line in after.items() if shape not in before]
    if not fresh:
        return None
    said = max(fresh, key=lambda line: len(_words(line) & _words(spoken_of)))
    gone = [line for shape, line in before.items() if shape not in after]
    return said, max(gone, key=lambda line: len(_words(line) & _words(said)), default="")


def _words(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]{4,}", text))


def _was_citation(was: ProbeReport) -> Citation | None:
    return Citation(evidence=was.evidence, quote=was.quote) if was.evidence and was.quote else None


def _place(
    change: ChangeReceipt, texts: list[str], trace: TraceReceipt | None
) -> tuple[tuple[str, Citation, Refuter] | None, str]:
    """The changed line that names what the test and the service spoke of; only a guess when two lines do so alike.

    Lines that the failing tests were seen not to run are left aside.

    Returns:
        The place, or None, and a hypothesis, or nothing.
    """
    ranked: tuple[ScoredHunk, ...] = rank_hunks(change.hunks, texts)
    run = tuple(one for one in ranked if _is_run(one, trace))
    ranked = run if run and run[0].score > 0 else ranked
    if not ranked or ranked[0].score <= 0 or not ranked[0].line.strip():
        return None, ""
    best = ranked[0]
    verb = "adds" if best.added else "removes"
    words = ", ".join(best.matched[:4])
    text = f"{best.hunk.path}: the change {verb} `{best.line.strip()}`, which names {words}"
    rivals = [one for one in ranked[1:] if one.score >= best.score and one.hunk.path != best.hunk.path]
    if rivals:
        return None, f"{text}; {rivals[0].hunk.path} speaks of it as much"
    line = nearest_line(best.hunk, trace.files) if trace else None
    if trace is not None and trace.evidence is not None and line is not None:
        refuter = Refuter(
            looked_for="the failing test never running that place",
            found=False,
            citation=Citation(evidence=trace.evidence, quote=line_words(best.hunk.path, line)),
        )
    else:
        refuter = Refuter(
            looked_for=f"a line in another file of the change ({len(change.hunks)} hunks) that names it as much",
            found=False,
        )
    sign = "+" if best.added else "-"
    return (text, Citation(evidence=change.diff, quote=f"{sign}{best.line}"), refuter), ""


def _is_run(one: ScoredHunk, trace: TraceReceipt | None) -> bool:
    """Whether the failing tests run the hunk, or nobody could see whether they do."""
    if trace is None or not trace.files or not one.hunk.path.endswith(".py"):
        return True
    return standing(one.hunk, trace.files, failing=trace.failing).is_run


def _older_red(scene: Scene, cluster: Cluster, culprit: str) -> str | None:
    """A commit before the culprit on which the test was seen red in the same way."""
    order = {commit.revision: index for index, commit in enumerate(commits(scene))}
    guilty = order.get(culprit, len(order))
    for probe in observations(scene, cluster):
        if probe.outcome == "red" and probe.index > guilty:
            return commits(scene)[probe.index].revision
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
