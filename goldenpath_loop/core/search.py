"""The search for a culprit as decisions: which commit to run next, and what the answers add up to.

One probe serves every cluster that is still open, because starting a commit costs more than running one more
test on it. A search survives a kill between any two probes: all it knows are the receipts in the log.
"""

from __future__ import annotations

from goldenpath_loop.core import verdicts
from goldenpath_loop.core.comparing import probe_outcome
from goldenpath_loop.core.readings import histories
from goldenpath_loop.core.step import Scene, Step, request
from goldenpath_loop.core.targets import own_signature, representative, selections_of
from goldenpath_loop.errors import InternalError
from goldenpath_loop.records.effects import ListCommits, ProbeCommit, TraceTests
from goldenpath_loop.records.events import VerdictReached
from goldenpath_loop.records.findings import Cluster, Measurement
from goldenpath_loop.records.history import Commit
from goldenpath_loop.records.receipts import CommitProbeReceipt, CommitsReceipt, TraceReceipt
from goldenpath_loop.science import culprit as science

__all__ = [
    "COMMITS_KEY",
    "base_history",
    "commits",
    "confirming_runs",
    "not_searchable",
    "observations",
    "search",
    "search_keys",
    "verdict_step",
]

COMMITS_KEY = "commits"
_DOCUMENTS = (".md", ".rst", ".adoc")
_LONG = 40
"""From so many commits on, a run that only looks saves more than it costs."""


def commits(scene: Scene) -> tuple[Commit, ...]:
    """First-parent history that leads to base, newest first; empty while it was not read."""
    receipt = scene.state.settled(COMMITS_KEY, CommitsReceipt)
    return receipt.commits if receipt else ()


def search(scene: Scene, clusters: tuple[Cluster, ...]) -> Step | None:
    """The next step of the search for every cluster without a culprit verdict; None when all have one."""
    waiting = tuple(one for one in clusters if scene.state.verdict("culprit", one.id) is None)
    if not waiting:
        return None
    if scene.state.in_flight:
        return Step()
    history = base_history(scene, waiting[0])
    if isinstance(history, Step):
        return history
    step = request(scene.state, _trace(scene, history, waiting))
    if step is not None:
        return step
    cluster = waiting[0]
    probes = observations(scene, cluster)
    hopeless = _hopeless(scene, history, probes)
    end = science.conclude(len(history), probes, hopeless=hopeless)
    if end is not None and hopeless and not isinstance(end, science.Culprit):
        # Nothing among what seemed worth a run: then look at the rest as well.
        hopeless = frozenset()
        end = science.conclude(len(history), probes, hopeless=hopeless)
    if end is not None:
        return _conclude(scene, waiting, history, end)
    indices = _first_guess(scene, cluster, history, probes) or science.next_probes(
        len(history), probes, width=scene.policy.jobs, hopeless=hopeless
    )
    step = request(scene.state, [_probe(scene, history[index], waiting) for index in indices])
    if step is None or step.is_wait:
        # Every probe asked for is over and nothing follows from them: the search cannot go on.
        return step or verdict_step(scene, cluster, "unknown", "the probes of older commits settled nothing")
    return step


def base_history(scene: Scene, cluster: Cluster) -> Step | tuple[Commit, ...]:
    """The commits to search, or the step that reads them or says why there is nothing to search."""
    base = scene.base.revision
    assert base is not None
    if not scene.policy.can_preview:
        return not_searchable(
            scene, cluster, "old commits cannot be run: not every service has a start command"
        )
    step = request(scene.state, [ListCommits(key=COMMITS_KEY, bad=base)])
    if step is not None:
        return step
    return commits(scene) or not_searchable(
        scene, cluster, "the history of the base branch could not be read"
    )


def not_searchable(scene: Scene, cluster: Cluster, reason: str) -> Step:
    """The verdict that there is nothing to search."""
    return verdict_step(scene, cluster, "not_searchable", reason)


def observations(scene: Scene, cluster: Cluster) -> list[science.Probe]:
    """What every commit that was run says about `cluster`, base included."""
    index_of = {commit.revision: index for index, commit in enumerate(commits(scene))}
    test = representative(cluster)
    found = [science.Probe(index=0, outcome="red")]
    for record in scene.state.effects.values():
        effect = record.effect
        if not isinstance(effect, ProbeCommit) or record.status == "requested":
            continue
        if effect.revision not in index_of or not any(test in chosen.tests for chosen in effect.selections):
            continue
        receipt = record.receipt
        runs = receipt.runs if isinstance(receipt, CommitProbeReceipt) else ()
        outcome = probe_outcome(cluster.signature, test, runs, expected=effect.revision)
        found.append(science.Probe(index=index_of[effect.revision], outcome=outcome))
    return found


def search_keys(scene: Scene, cluster: Cluster) -> tuple[str, ...]:
    """Keys of the probes that say something about `cluster`."""
    test = representative(cluster)
    return tuple(
        key
        for key, record in scene.state.effects.items()
        if isinstance(record.effect, ProbeCommit)
        and any(test in chosen.tests for chosen in record.effect.selections)
    )


def confirming_runs(scene: Scene, cluster: Cluster, culprit: str) -> tuple[str, str] | None:
    """Keys of the two runs that confirm a culprit: red on it, and green on its parent."""
    verdict = scene.state.verdict("culprit", cluster.id)
    if verdict is None or verdict.revision != culprit or len(verdict.because) != 2:
        return None
    on_it, before = verdict.because
    return on_it, before


def _confirm_key(scene: Scene, cluster: Cluster, revision: str) -> str | None:
    """Key of the run of every test of `cluster` on `revision`, services probed too, if it was asked for."""
    for key, record in scene.state.effects.items():
        effect = record.effect
        if (
            not isinstance(effect, ProbeCommit)
            or not key.startswith("confirm/")
            or effect.revision != revision
        ):
            continue
        if set(cluster.tests) <= {test for chosen in effect.selections for test in chosen.tests}:
            return key
    return None


def _confirmation(
    scene: Scene, clusters: tuple[Cluster, ...], culprit: Commit, parent: Commit
) -> tuple[ProbeCommit, ...]:
    """Run the first cluster, and every other that is still open, whole on the suspect and before it."""
    base = scene.base.revision
    assert base is not None
    names = "+".join(cluster.id for cluster in clusters)
    return tuple(
        ProbeCommit(
            key=_confirm_key(scene, clusters[0], commit.revision)
            or f"confirm/{commit.revision[:12]}/{names}",
            revision=commit.revision,
            protected=base,
            selections=selections_of(scene.state, (test for cluster in clusters for test in cluster.tests)),
            services=tuple(service.name for service in scene.policy.services),
        )
        for commit in (culprit, parent)
    )


def _probe(scene: Scene, commit: Commit, clusters: tuple[Cluster, ...]) -> ProbeCommit:
    base = scene.base.revision
    assert base is not None
    return ProbeCommit(
        key=f"probe/{commit.revision[:12]}/{'+'.join(cluster.id for cluster in clusters)}",
        revision=commit.revision,
        protected=base,
        selections=selections_of(scene.state, map(representative, clusters)),
    )


def _first_guess(
    scene: Scene, cluster: Cluster, history: tuple[Commit, ...], probes: list[science.Probe]
) -> tuple[int, ...]:
    """Places worth trying before anything else: another cluster's culprit, then the last revision seen green."""
    probed = {probe.index for probe in probes}
    index_of = {commit.revision: index for index, commit in enumerate(history)}
    known = [
        index_of[verdict.revision]
        for verdict in scene.state.verdicts
        if verdict.kind == "culprit" and verdict.value == "confirmed" and verdict.revision in index_of
    ]
    pairs = [place for index in known for place in (index, index + 1) if place < len(history)]
    fresh = tuple(place for place in pairs if place not in probed)
    if fresh:
        return fresh[: max(2, scene.policy.jobs)]
    earlier = histories(scene).get(representative(cluster))
    green = index_of.get(earlier.last_green_revision or "") if earlier else None
    if green is not None and green not in probed and not any(probe.outcome == "green" for probe in probes):
        return (green,)
    return ()


def _trace_key(scene: Scene) -> str:
    return f"c{scene.cycle}/trace/search"


def _trace(scene: Scene, history: tuple[Commit, ...], waiting: tuple[Cluster, ...]) -> list[TraceTests]:
    """The run that shows which files the failures go through, where the history is long enough to be worth it."""
    base = scene.base.revision
    assert base is not None
    paths = {path for commit in history for path in commit.files if path.endswith(".py")}
    known = scene.state.effects.get(_trace_key(scene))
    if known is not None and isinstance(known.effect, TraceTests):
        return [known.effect]
    if len(history) < _LONG or not paths:
        return []
    return [
        TraceTests(
            key=_trace_key(scene),
            revision=base,
            protected=base,
            selections=selections_of(scene.state, map(representative, waiting)),
            paths=tuple(sorted(paths)),
        )
    ]


def _hopeless(scene: Scene, history: tuple[Commit, ...], probes: list[science.Probe]) -> frozenset[int]:
    """Commits not worth a run: documents only, tests only, which travel from base, or code that no failure runs.

    That is a guess from their paths. One such commit that was run and is red shows the guess to be wrong here.
    """
    target = scene.policy.target
    trace = scene.state.settled(_trace_key(scene), TraceReceipt)
    run = {one.path for one in trace.files} if trace else set()
    found = frozenset(
        index
        for index, commit in enumerate(history)
        if commit.files
        and all(
            path.lower().endswith(_DOCUMENTS)
            or target.protects(path)
            or (run and path.endswith(".py") and path not in run)
            for path in commit.files
        )
    )
    measured = {probe.index: probe.outcome for probe in probes}
    green = {index for index, outcome in measured.items() if outcome == "green"}
    for index in sorted(found):
        older = next((place for place in range(index, len(history)) if place not in found), None)
        if index > 0 and measured.get(index) == "red" and older in green:
            return frozenset()
    return found


def _conclude(
    scene: Scene, waiting: tuple[Cluster, ...], history: tuple[Commit, ...], end: science.Conclusion
) -> Step:
    cluster = waiting[0]
    match end:
        case science.Culprit(index=index):
            # What lies between the culprit and the green commit was guessed not to matter; its parent is run.
            probes = _confirmation(scene, waiting, history[index], history[index + 1])
            return request(scene.state, probes) or _confirmed(
                scene, cluster, history[index], history[index + 1], tuple(probe.key for probe in probes)
            )
        case science.Range(newest=newest, green_index=None):
            reason = f"no commit was found green; red at least as far back as {history[newest].revision[:10]}"
            return verdict_step(scene, cluster, "never_good", reason)
        case science.Range(newest=newest, oldest=oldest):
            names = ", ".join(commit.revision[:10] for commit in history[newest : oldest + 1][:6])
            reason = f"one of {oldest - newest + 1} commits that cannot be told apart: {names}"
            return verdict_step(scene, cluster, "range", reason, revision=history[newest].revision)
        case science.NeverGood(oldest_red=oldest):
            reason = f"red as far back as it can be tested, to {history[oldest].revision[:10]}"
            return verdict_step(scene, cluster, "never_good", reason)
        case science.NotRed():
            return verdict_step(
                scene, cluster, "unknown", "it is not red on the base revision when run on its own"
            )
        case science.Contradiction(answer=None):
            return verdict_step(scene, cluster, "unknown", "it passes and fails on the same commit")
        case science.Contradiction(answer=answer) if answer is not None:
            # The change nearest to base is why it is red now; that older ones exist does not alter that.
            return _conclude(scene, waiting, history, answer)
        case _:
            raise InternalError(f"a search cannot end with {end}")


def _confirmed(
    scene: Scene, cluster: Cluster, culprit: Commit, parent: Commit, keys: tuple[str, ...]
) -> Step:
    on_culprit, on_parent = (
        [
            probe_outcome(
                own_signature(scene.state, cluster, test), test, receipt.runs, expected=receipt.revision
            )
            for test in cluster.tests
        ]
        if (receipt := scene.state.settled(key, CommitProbeReceipt)) is not None
        else []
        for key in keys
    )
    red = on_culprit.count("red")
    green = on_parent.count("green")
    holds = bool(on_culprit and on_parent) and on_culprit[0] == "red" and on_parent[0] == "green"
    statement = (
        f"{culprit.revision[:10]} “{culprit.subject}”: {red} of {len(cluster.tests)} tests red on it "
        f"with this signature, {green} of {len(cluster.tests)} green on {parent.revision[:10]} before it"
    )
    return verdict_step(
        scene,
        cluster,
        "confirmed" if holds else "suspect",
        statement,
        revision=culprit.revision,
        because=keys,
    )


def verdict_step(
    scene: Scene,
    cluster: Cluster,
    value: str,
    statement: str,
    *,
    revision: str | None = None,
    because: tuple[str, ...] = (),
    measurements: tuple[Measurement, ...] = (),
) -> Step:
    """The step that says what the search for `cluster` came to."""
    keys = search_keys(scene, cluster)
    found = verdicts.Conclusion(
        kind="culprit",
        subject=cluster.id,
        value=value,
        statement=statement,
        measurements=(
            Measurement(name="commits in history", value=len(commits(scene))),
            Measurement(name="commits run", value=len({key.split("/")[1] for key in keys})),
            *measurements,
        ),
        because=because or keys,
        revision=revision,
    )
    numbered = verdicts.numbered([found], after=len(scene.state.verdicts))
    return Step(events=tuple(VerdictReached(verdict=one, causes=one.because) for one in numbered))
