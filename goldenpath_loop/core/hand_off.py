"""What a run leaves behind when a limit ends it: how far it came, what is left, and the way to give it more."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence

from goldenpath_loop.core.culprit_evidence import search_of
from goldenpath_loop.core.limits import cut_short, used
from goldenpath_loop.core.remedies import (
    Remedy,
    has_pull_request,
    is_proven,
    is_superseded,
    remedies,
    to_show,
)
from goldenpath_loop.core.search import commits, observations
from goldenpath_loop.core.state import State
from goldenpath_loop.core.step import Scene
from goldenpath_loop.core.targets import representative
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.events import LimitReached, RunFinished, RunStarted
from goldenpath_loop.records.findings import Cluster, Verdict
from goldenpath_loop.records.hand_off import ClusterStand, HandOff, LimitUse, RemedyStand
from goldenpath_loop.records.history import Commit
from goldenpath_loop.records.policy import Limits
from goldenpath_loop.science import culprit as science

__all__ = ["hand_off", "handed_off"]

_ENDINGS = {"pull_request_limit": ("pull_requests",), "budget": ("duration_s", "cycles")}
_SHORT = {"duration_s": "duration", "cost_usd": "cost"}
"""What `loop limits --set` calls them."""
_LEAST_S = 60
_RED = ("regression", "intermittent")


def handed_off(finished: RunFinished, scene: Scene, last: Sequence[LimitReached]) -> RunFinished:
    """The last event of a run, with a record for whoever goes on when a limit stood in the way.

    Args:
        finished: How it ends.
        scene: Where it stands.
        last: Limits that are reached by the same step, and not yet in the state.
    """
    reached = tuple(dict.fromkeys((*scene.state.limits_reached, *(one.limit for one in last))))
    if not reached or finished.exit_code == 0:
        return finished
    ending = _ENDINGS.get(finished.outcome, ())
    ended_by = next((one for one in reversed(reached) if one in ending), "")
    return finished.model_copy(update={"hand_off": hand_off(scene, reached, ended_by)})


def hand_off(scene: Scene, reached: tuple[str, ...], ended_by: str) -> HandOff:
    """Where the run left off.

    Args:
        scene: The state, the limits in force and the time.
        reached: Limits that were reached.
        ended_by: Which of them ended the run; empty for none.
    """
    state = scene.state
    spent = _spent(scene)
    raised = _raised(scene, reached, {one.limit: one for one in spent})
    assert state.started is not None
    is_question = state.started.question is not None
    ways = " ".join(f"--set {_SHORT.get(name, name)}={_said(name, value)}" for name, value in raised.items())
    settings = " ".join(
        f"GOLDENPATH_LIMITS__{name.upper()}={_number(value)}" for name, value in raised.items()
    )
    return HandOff(
        reached=reached,
        ended_by=ended_by,
        spent=spent,
        cycle=state.cycle,
        phase=state.phase.phase if state.phase else "",
        unfinished=cut_short(state),
        clusters=(_command(scene),) if is_question else tuple(_stand(scene, one) for one in _clusters(state)),
        remedies=tuple(_left(state, one) for one in remedies(state) if _is_left(state, one)),
        while_it_ran=f"loop limits {shlex.quote(state.started.run)} {ways}",
        next_run="" if is_question else f"{settings} {_begun(state.started)}",
    )


def _begun(started: RunStarted) -> str:
    """The command that begins such a run, wherever it is typed."""
    config = f" --config {shlex.quote(started.config_file)}" if started.config_file else ""
    return f"loop start{config} --focus {shlex.quote(started.focus)}"


def _spent(scene: Scene) -> tuple[LimitUse, ...]:
    patches = [one.cluster for one in remedies(scene.state) if one.cluster]
    spent = {
        **used(scene.state, scene.now),
        "attempts": max((patches.count(one) for one in patches), default=0),
    }
    allowed = scene.policy.limits.model_dump()
    return tuple(LimitUse(limit=name, allowed=allowed[name], used=spent[name]) for name in allowed)


def _raised(scene: Scene, reached: tuple[str, ...], spent: dict[str, LimitUse]) -> dict[str, float]:
    """Values that would have carried it further: of pull requests as many as wait, of the others twice as much."""
    found: dict[str, float] = {}
    for name in dict.fromkeys(one.partition("/")[0] for one in reached):
        use = spent[name]
        if name == "pull_requests":
            found[name] = use.used + max(1, len(to_show(scene.state)))
        elif name == "duration_s":
            found[name] = max(_LEAST_S, math.ceil(2 * use.allowed))
        else:
            found[name] = 2 * use.allowed or Limits.model_fields[name].default
    return found


def _said(name: str, value: float) -> str:
    if name != "duration_s":
        return _number(value)
    size, unit = next((size, unit) for size, unit in ((3600, "h"), (60, "m"), (1, "s")) if value % size == 0)
    return f"{int(value) // size}{unit}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _clusters(state: State) -> tuple[Cluster, ...]:
    """Of all cycles: what an earlier one left is left still."""
    return tuple(one for decision in state.decisions for one in decision.clusters)


def _is_left(state: State, remedy: Remedy) -> bool:
    return (
        is_proven(state, remedy)
        and has_pull_request(state, remedy) is None
        and not is_superseded(state, remedy)
    )


def _left(state: State, remedy: Remedy) -> RemedyStand:
    assert remedy.head is not None
    clusters = tuple(one.id for one in _clusters(state) if remedy in _aimed(state, one))
    return RemedyStand(remedy=remedy.id, branch=remedy.branch, head=remedy.head, clusters=clusters)


def _aimed(state: State, cluster: Cluster) -> list[Remedy]:
    """Remedies for `cluster`."""
    culprit = state.verdict("culprit", cluster.id)
    commit = culprit.revision if culprit is not None and culprit.value == "confirmed" else None
    return [
        one
        for one in remedies(state)
        if one.cluster == cluster.id or (commit is not None and one.commit == commit)
    ]


def _stand(scene: Scene, cluster: Cluster) -> ClusterStand:
    state = scene.state
    triage, culprit = state.verdict("triage", cluster.id), state.verdict("culprit", cluster.id)
    stand = ClusterStand(
        cluster=cluster.id,
        test=representative(cluster),
        tests=len(cluster.tests),
        stage="found",
        statement="its tests failed; they were not run again yet",
        culprit=culprit.revision if culprit is not None and culprit.value == "confirmed" else None,
    )
    repaired = _repaired(state, _aimed(state, cluster))
    if repaired:
        return stand.model_copy(update=repaired)
    if culprit is not None and culprit.value == "confirmed":
        return stand.model_copy(update={"stage": "culprit", "statement": culprit.statement})
    if culprit is not None:
        said = f"{culprit.value.replace('_', ' ')}: {culprit.statement}"
        left = _between(_suspects(scene, cluster)) if culprit.value in ("range", "suspect") else {}
        return stand.model_copy(update={"stage": "searched", "statement": said, **left})
    if triage is None:
        return stand
    return stand.model_copy(update=_triaged(scene, cluster, triage))


def _repaired(state: State, aimed: list[Remedy]) -> dict[str, object]:
    """The best that was made of it; empty when nothing was."""
    for remedy in aimed:
        opened = has_pull_request(state, remedy)
        if opened is not None and is_proven(state, remedy):
            return {
                "stage": "shown",
                "statement": f"{remedy.id} is proven, and its pull request is {opened.address}",
            }
    for remedy in aimed:
        if is_proven(state, remedy):
            text = f"{remedy.id} is proven on {remedy.branch} and has no pull request"
            return {"stage": "proven", "statement": text}
    made = [one for one in aimed if one.head is not None]
    if not made:
        return {}
    remedy = made[-1]
    verdict = state.verdict("stability", remedy.id)
    audit = state.verdict("audit", remedy.id)
    if verdict is None and audit is not None and audit.value == "violations":
        verdict = audit
    text = f"{remedy.id} on {remedy.branch} "
    text += f"is {verdict.value.replace('_', ' ')}: {verdict.statement}" if verdict else "is not proven yet"
    return {"stage": "remedy", "statement": text}


def _triaged(scene: Scene, cluster: Cluster, triage: Verdict) -> dict[str, object]:
    if triage.value not in _RED:
        return {"stage": "triaged", "statement": f"{triage.value}: {triage.statement}"}
    suspects = _suspects(scene, cluster) if triage.value == "regression" else ()
    if suspects:
        words = f"{triage.value}; its culprit is one of {counted(suspects, 'commit')}"
        return {"stage": "triaged", "statement": words, **_between(suspects)}
    keys = [
        key for key in scene.state.effects if key.startswith("rates/") and key.split("/")[2] == cluster.id
    ]
    searched = (
        f"{counted(keys, 'run')} of the search for its culprit" if keys else "its culprit was not searched"
    )
    return {"stage": "triaged", "statement": f"{triage.value}; {searched}"}


def _suspects(scene: Scene, cluster: Cluster) -> tuple[Commit, ...]:
    """Commits among which red began as far as the probes tell, newest first; none when history was not read."""
    probes = observations(scene, cluster)
    return _among(commits(scene), probes)


def _among(history: tuple[Commit, ...], probes: list[science.Probe]) -> tuple[Commit, ...]:
    if not history:
        return ()
    found = science.so_far(len(history), probes)
    if isinstance(found, science.Contradiction) and found.answer is not None:
        found = found.answer
    match found:
        case science.Culprit(index=index):
            return history[index : index + 1]
        case science.Range(newest=newest, oldest=oldest):
            return history[newest : oldest + 1]
        case _:
            return ()


def _between(suspects: tuple[Commit, ...]) -> dict[str, object]:
    if not suspects:
        return {}
    return {"left": len(suspects), "newest": suspects[0].revision, "oldest": suspects[-1].revision}


def _command(scene: Scene) -> ClusterStand:
    """The one failure of a search of its own."""
    stand = ClusterStand(
        cluster="command", test="command", tests=1, stage="found", statement="its history was not read yet"
    )
    culprit = scene.state.verdict("culprit", "command")
    if culprit is not None:
        stage = "culprit" if culprit.value == "confirmed" else "searched"
        revision = culprit.revision if culprit.value == "confirmed" else None
        return stand.model_copy(update={"stage": stage, "statement": culprit.statement, "culprit": revision})
    search = search_of(scene.state, scene.policy)
    if isinstance(search, str):
        return stand.model_copy(update={"statement": search})
    words = f"{counted(search.runs, 'run')} on {counted({one.index for one in search.runs}, 'commit')}"
    probes = [science.Probe(one.index, one.outcome) for one in search.runs]
    assert scene.state.started is not None and scene.state.started.question is not None
    # What passes and fails on one commit leaves no stretch between a red and a green one.
    suspects = () if scene.state.started.question.is_flaky else _among(search.history, probes)
    if suspects:
        words = f"its culprit is one of {counted(suspects, 'commit')} after {words}"
    return stand.model_copy(update={"stage": "triaged", "statement": words, **_between(suspects)})
