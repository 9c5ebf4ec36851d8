"""Title and body of a pull request: impact first, then cause, evidence, proof, risk, and how to undo it."""

from __future__ import annotations

from goldenpath_loop.core.pins import Pin, pin_words
from goldenpath_loop.core.readings import sound_runs
from goldenpath_loop.core.remedies import Remedy, is_proven, remedies
from goldenpath_loop.core.step import Scene
from goldenpath_loop.core.targets import aimed_at
from goldenpath_loop.core.wording import code, counted
from goldenpath_loop.records.agents import PullRequestText
from goldenpath_loop.records.findings import Cluster, Finding, Verdict, WhyLink
from goldenpath_loop.records.receipts import ChangeReceipt

__all__ = ["body", "findings_of", "title", "value_at_risk_usd", "verdicts_of"]


def title(scene: Scene, remedy: Remedy) -> str:
    """One line that says what comes back to life."""
    tests = _tests(scene, remedy)
    if remedy.commit is None:
        state = "green again" if is_proven(scene.state, remedy) else "not proven yet"
        return f"Fix {_cause_words(scene, remedy)}: {counted(tests, 'test')} of {scene.policy.focus.name} {state}"
    part = "part of " if remedy.hunks or (remedy.receipt and remedy.receipt.conflicts) else ""
    state = "green again" if is_proven(scene.state, remedy) else "red since"
    shown = counted(tests, "test")
    return f"Revert {part}“{_subject(scene, remedy)}”: {shown} of {scene.policy.focus.name} {state}"


def findings_of(scene: Scene, remedy: Remedy) -> list[Finding]:
    """Findings that a pull request for `remedy` speaks of."""
    return _findings(scene, tuple(dict.fromkeys(cluster for cluster, _ in aimed_at(scene, remedy))))


def verdicts_of(scene: Scene, remedy: Remedy) -> list[Verdict]:
    """Verdicts about `remedy`."""
    found = (scene.state.verdict(kind, remedy.id) for kind in ("stability", "audit"))
    return [one for one in found if one is not None]


def body(scene: Scene, remedy: Remedy, words: PullRequestText | None = None) -> str:
    """The whole text, Markdown. Every statement carries the id of the record it rests on.

    Args:
        scene: Where the run stands.
        remedy: What is proposed.
        words: An agent's summary whose numbers and references were checked; it stands apart, and is called so.
    """
    clusters = tuple(dict.fromkeys(cluster for cluster, _ in aimed_at(scene, remedy)))
    sections = [
        _in_words(words),
        _impact(scene, remedy),
        _cause(scene, remedy, clusters),
        _evidence(scene, clusters),
        _proof(scene, remedy),
        _risk(scene, remedy),
        f"## How to undo\n\n`git revert {remedy.head}` "
        + ("brings the reverted change back." if remedy.commit else "takes the patch out again."),
    ]
    sections.append(_record(scene))
    if not is_proven(scene.state, remedy):
        sections.insert(0, "> Draft: the proof is not complete. See “Proof” for what is missing.")
    return "\n\n".join(section for section in sections if section) + "\n"


def _record(scene: Scene) -> str:
    """Which record this text was made from: a log that was cut shorter than that shows."""
    state = scene.state
    run = state.started.run if state.started else ""
    pin = pin_words(Pin(run, state.last_seq - 1, state.before_last))
    return f"## Record\n\n{pin}. `loop verify {run}` checks the record against it, line by line."


def _in_words(words: PullRequestText | None) -> str:
    if words is None:
        return ""
    hints = "".join(f"\n- {hint}" for hint in words.review_hints)
    rests = ", ".join(words.because)
    return f"## In an agent's words\n\n{words.summary}\n\nIt rests on {rests}; its numbers are theirs." + (
        f"\n\nWhere to look hardest:\n{hints}" if hints else ""
    )


def value_at_risk_usd(scene: Scene, tests: set[str]) -> float:
    """Revenue a month that the suites of `tests` protect, each suite once."""
    suites = {
        name
        for name, run in sound_runs(scene.state, scene.cycle).items()
        if any(result.id in tests for result in run.results)
    }
    return sum(scene.policy.suite(name).value_at_risk_usd for name in suites)


def _tests(scene: Scene, remedy: Remedy) -> list[str]:
    return [test for _, test in aimed_at(scene, remedy)]


def _change(scene: Scene, remedy: Remedy) -> ChangeReceipt | None:
    for record in scene.state.effects.values():
        receipt = record.receipt
        if isinstance(receipt, ChangeReceipt) and receipt.commit.revision == remedy.commit:
            return receipt
    return None


def _subject(scene: Scene, remedy: Remedy) -> str:
    change = _change(scene, remedy)
    return change.commit.subject if change else (remedy.commit or "")[:12]


def _cause_words(scene: Scene, remedy: Remedy) -> str:
    """What a patch mends, in the words of a test: they were measured."""
    tests = _tests(scene, remedy)
    return tests[0].rsplit("::", 1)[-1] if tests else remedy.cluster


def _impact(scene: Scene, remedy: Remedy) -> str:
    tests = _tests(scene, remedy)
    value = value_at_risk_usd(scene, set(tests))
    lines = [
        f"## Impact\n\n{counted(tests, 'test')} of focus `{scene.policy.focus.name}` red on `{scene.base.revision}`:"
    ]
    lines.append("\n".join(f"- {code(test)}" for test in tests))
    if value:
        lines.append(
            f"The suites they belong to protect ${value:,.0f} a month (from the target's configuration)."
        )
    return "\n\n".join(lines)


def _cause(scene: Scene, remedy: Remedy, clusters: tuple[Cluster, ...]) -> str:
    change = _change(scene, remedy)
    who = f", {change.commit.author}, {change.commit.committed_at:%Y-%m-%d}" if change else ""
    if remedy.commit is None:
        first = _without_a_revert(scene, clusters)
    else:
        first = f"`{remedy.commit}` “{_subject(scene, remedy)}”{who}."
    lines = [f"## Root cause\n\n{first}"]
    for cluster in clusters:
        verdict = scene.state.verdict("culprit", cluster.id)
        if verdict is not None:
            lines.append(f"{cluster.id}: {verdict.statement} ({verdict.id}).")
    for finding in _findings(scene, clusters):
        whys = [f"{number}. {_why(link)}" for number, link in enumerate(finding.chain, start=1)]
        lines.append(f"Five whys ({finding.id}):\n\n" + "\n".join(whys))
        for other in scene.state.findings:
            if other.kind == "observation" and other.cluster == finding.cluster and other.dispatch:
                lines.append(f"An agent observes ({other.id}): {other.title}. {other.statement}")
        if finding.hypotheses:
            lines.append(
                "Not shown, only supposed:\n\n" + "\n".join(f"- {text}" for text in finding.hypotheses)
            )
    return "\n\n".join(lines)


def _without_a_revert(scene: Scene, clusters: tuple[Cluster, ...]) -> str:
    """Why a patch was needed, as the search for a culprit ended."""
    verdicts = [scene.state.verdict("culprit", cluster.id) for cluster in clusters]
    values = {one.value for one in verdicts if one is not None}
    if "confirmed" in values:
        return "The commit that brought it in is known; taking it back was no repair."
    if values == {"never_good"}:
        return "No commit that could be tested was without the fault: it is older than the tested history."
    return "History does not tell which commit brought it in."


def _why(link: WhyLink) -> str:
    return (
        f"{link.effect}\n   because {link.cause} "
        f"[{link.kind}: {link.effect_citation.evidence}, {link.cause_citation.evidence}]"
    )


def _findings(scene: Scene, clusters: tuple[Cluster, ...]) -> list[Finding]:
    names = {cluster.id for cluster in clusters}
    return [one for one in scene.state.findings if one.kind == "why_chain" and one.cluster in names]


def _evidence(scene: Scene, clusters: tuple[Cluster, ...]) -> str:
    rows: list[str] = []
    for finding in _findings(scene, clusters):
        for link in finding.chain:
            for citation in (link.effect_citation, link.cause_citation):
                quote = code(" ".join(citation.quote.split())[:160])
                rows.append(f"- {citation.evidence} [{citation.start}:{citation.end}]: {quote}")
    return "## Evidence\n\n" + "\n".join(dict.fromkeys(rows)) if rows else ""


def _proof(scene: Scene, remedy: Remedy) -> str:
    lines: list[str] = []
    for kind in ("stability", "audit"):
        verdict = scene.state.verdict(kind, remedy.id)
        if verdict is not None:
            lines.append(f"- {kind}: **{verdict.value}** ({verdict.id}). {verdict.statement}.")
    commit = (remedy.commit or "")[:12]
    hunks = scene.state.verdict("stability", f"hunks of {commit}") if remedy.hunks else None
    if hunks is not None:
        lines.append(f"- guilty hunks: **{hunks.value}** ({hunks.id}). {hunks.statement}.")
    for other in remedies(scene.state):
        if remedy.commit is not None and other.commit == remedy.commit and other.id != remedy.id:
            lines += [f"- taking back the whole commit instead: {one}" for one in _verdicts(scene, other)]
    return "## Proof\n\n" + "\n".join(lines)


def _verdicts(scene: Scene, remedy: Remedy) -> list[str]:
    found = (scene.state.verdict(kind, remedy.id) for kind in ("stability", "audit"))
    said = [f"**{one.value}** ({one.id}). {one.statement}." for one in found if one is not None]
    return said[:1] or ([f"{remedy.receipt.problem}."] if remedy.receipt and remedy.receipt.problem else [])


def _risk(scene: Scene, remedy: Remedy) -> str:
    files = remedy.receipt.files if remedy.receipt else ()
    shown = "\n".join(f"- {code(path)}" for path in files)
    left = remedy.receipt.conflicts if remedy.receipt else ()
    partial = (
        "Later changes stand in the way of the rest; these files are left as they are: "
        + ", ".join(code(path) for path in left)
        + ".\n\n"
        if left
        else ""
    )
    commit = f"`{(remedy.commit or '')[:12]}`"
    what = f"what {'is left of what ' if left else ''}{commit} changed outside the protected test paths"
    if remedy.hunks:
        what = f"{counted(remedy.hunks, 'hunk')} of {commit} and leaves the rest of it as it is"
    does = f"It takes back {what}. It"
    if remedy.commit is None:
        does = "An agent wrote this patch; the runs above, and nothing that it said, are why it is shown. It"
    below = [one for one in remedies(scene.state) if one.id in scene.state.cycle_remedies]
    stands = (
        "It stands on " + " and ".join(code(one.branch) for one in below) + ": merge that first.\n\n"
        if remedy.onto != scene.base.revision
        else ""
    )
    return (
        f"## Risk\n\n{stands}{partial}{does} changes {counted(files, 'file')}:\n\n{shown}\n\n"
        "What no test of the focus looks at is not covered by this proof."
    )
