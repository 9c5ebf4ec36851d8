"""The search for the commit since which a test fails more often than it used to.

Such a test passes and fails on one commit, so no single run says "good" or "bad". Which commit to run next, and when
one of them holds enough belief, is said by `science.flaky_culprit`; earlier results of the test are part of what it
weighs.
"""

from __future__ import annotations

from goldenpath_loop.core.comparing import probe_outcome
from goldenpath_loop.core.culprit_evidence import weight_of
from goldenpath_loop.core.readings import histories
from goldenpath_loop.core.search import base_history, not_searchable, search_keys, verdict_step
from goldenpath_loop.core.step import Scene, Step, request
from goldenpath_loop.core.targets import representative, selections_of
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.effects import ProbeCommit, RunSuite
from goldenpath_loop.records.findings import Cluster, Measurement
from goldenpath_loop.records.history import Commit
from goldenpath_loop.records.receipts import CommitProbeReceipt, SuiteReceipt
from goldenpath_loop.science import flaky_culprit as science

__all__ = ["search_rates"]

_MOST_RUNS = 150
_MOST_PAST = 30
"""Earlier results that count: more of them would drown what is measured now."""


def search_rates(scene: Scene, clusters: tuple[Cluster, ...]) -> Step | None:
    """The next step of the search for the first cluster without a culprit verdict; None when all have one."""
    for cluster in clusters:
        if scene.state.verdict("culprit", cluster.id) is None:
            return Step() if scene.state.in_flight else _search(scene, cluster)
    return None


def _search(scene: Scene, cluster: Cluster) -> Step:
    history = base_history(scene, cluster)
    if isinstance(history, Step):
        return history
    if len(history) < 2:
        return not_searchable(scene, cluster, "there is no older commit to compare with")
    asked = science.Search(
        weights=tuple(weight_of(commit, scene.policy) for commit in history),
        is_flaky=True,
        most_runs=_MOST_RUNS,
    )
    runs = [*_past(scene, cluster, history), *_alone(scene, cluster), *_probed(scene, cluster, history)]
    wanted = science.next_step(asked, runs, width=scene.policy.jobs)
    if isinstance(wanted, science.Ask):
        return _ask(scene, cluster, [history[index].revision for index in wanted.indices])
    return _conclude(scene, cluster, history, asked, runs, wanted)


def _past(scene: Scene, cluster: Cluster, history: tuple[Commit, ...]) -> list[science.Run]:
    """Earlier results, at the newest commit that is known to have passed."""
    known = histories(scene).get(representative(cluster))
    order = {commit.revision: index for index, commit in enumerate(history)}
    place = order.get(known.last_green_revision or "") if known else None
    if known is None or place is None or not known.runs:
        return []
    count = min(known.runs, _MOST_PAST)
    reds = round(count * known.reds / known.runs)
    return [science.Run(place, "red" if number < reds else "green", past=True) for number in range(count)]


def _alone(scene: Scene, cluster: Cluster) -> list[science.Run]:
    """The re-runs of the triage, which are runs of the newest commit."""
    test = representative(cluster)
    found: list[science.Run] = []
    for key, record in scene.state.effects.items():
        if key.startswith(f"triage/{cluster.id}/") and isinstance(record.receipt, SuiteReceipt):
            assert isinstance(record.effect, RunSuite)
            runs = (record.receipt.run,)
            outcome = probe_outcome(cluster.signature, test, runs, expected=record.effect.revision)
            found.append(science.Run(0, outcome))
    return found


def _probed(scene: Scene, cluster: Cluster, history: tuple[Commit, ...]) -> list[science.Run]:
    order = {commit.revision: index for index, commit in enumerate(history)}
    return [
        science.Run(order[revision], outcome)
        for _, revision, outcome in _shown(scene, cluster)
        if revision in order
    ]


def _shown(scene: Scene, cluster: Cluster) -> list[tuple[str, Revision, science.Outcome]]:
    """Every finished run of this search with its key."""
    test = representative(cluster)
    found: list[tuple[str, Revision, science.Outcome]] = []
    for key, record in scene.state.effects.items():
        is_ours = key.startswith("rates/") and key.split("/")[2] == cluster.id
        if not is_ours or record.status == "requested" or not isinstance(record.effect, ProbeCommit):
            continue
        runs = record.receipt.runs if isinstance(record.receipt, CommitProbeReceipt) else ()
        revision = record.effect.revision
        found.append((key, revision, probe_outcome(cluster.signature, test, runs, expected=revision)))
    return found


def _ask(scene: Scene, cluster: Cluster, revisions: list[Revision]) -> Step:
    base = scene.base.revision
    assert base is not None
    probes: list[ProbeCommit] = []
    for number, revision in enumerate(revisions, start=len(_shown(scene, cluster)) + 1):
        probes.append(
            ProbeCommit(
                key=f"rates/{revision[:12]}/{cluster.id}/{number}",
                revision=revision,
                protected=base,
                selections=selections_of(scene.state, (representative(cluster),)),
            )
        )
    return request(scene.state, probes) or Step()


def _conclude(
    scene: Scene,
    cluster: Cluster,
    history: tuple[Commit, ...],
    asked: science.Search,
    runs: list[science.Run],
    answer: science.Answer,
) -> Step:
    belief = science.view(asked, runs)
    spent = counted(_shown(scene, cluster), "run")
    if answer.kind == "culprit" and answer.index is not None and belief is not None:
        culprit, parent = history[answer.index], history[answer.index + 1]
        shown = _shown(scene, cluster)
        red = next((key for key, at, said in shown if at == culprit.revision and said == "red"), None)
        green = next((key for key, at, said in shown if at == parent.revision and said == "green"), None)
        is_seen = answer.is_confirmed and red is not None and green is not None
        statement = (
            f"{culprit.revision[:10]} “{culprit.subject}”: the test fails in {belief.p_new:.0%} of runs since it "
            f"and in {belief.p_old:.0%} before, {answer.confidence:.1%} of belief after {spent}; it was red on it "
            f"and green on {parent.revision[:10]} before it"
        )
        return verdict_step(
            scene,
            cluster,
            "confirmed" if is_seen else "suspect",
            statement,
            revision=culprit.revision,
            because=tuple(key for key in (red, green) if key),
            measurements=(
                Measurement(name="confidence", value=round(answer.confidence, 6)),
                Measurement(name="failure rate before", value=round(belief.p_old, 4)),
                Measurement(name="failure rate since", value=round(belief.p_new, 4)),
            ),
        )
    value, reason = _no_commit(history, answer)
    return verdict_step(
        scene, cluster, value, f"{reason} ({spent})", because=search_keys(scene, cluster) or ("history",)
    )


def _no_commit(history: tuple[Commit, ...], answer: science.Answer) -> tuple[str, str]:
    match answer.kind:
        case "range" if answer.index is not None and answer.oldest is not None:
            first, last = history[answer.oldest].revision[:10], history[answer.index].revision[:10]
            return "range", f"one of the commits {first} to {last}, which cannot be told apart"
        case "flaky":
            return "flaky", "it fails now and then on every commit looked at: no commit changed that"
        case "never_good":
            return "never_good", "it fails as far back as was looked"
        case "environment":
            return "environment", "what passed before fails now on the same commit: not the code changed"
        case _:
            return "unknown", "the runs do not tell the commits apart"
