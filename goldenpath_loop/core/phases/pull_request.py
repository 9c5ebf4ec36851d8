"""Can a person merge it in five minutes?"""

from __future__ import annotations

from goldenpath_loop.core.consultation import consult
from goldenpath_loop.core.limits import opened
from goldenpath_loop.core.narrowing import can_be_narrowed
from goldenpath_loop.core.opinions import about_words, words_of
from goldenpath_loop.core.pull_request_text import body, findings_of, title, verdicts_of
from goldenpath_loop.core.remedies import (
    has_pull_request,
    is_proven,
    is_shown,
    push_problem,
    remedies,
    to_show,
)
from goldenpath_loop.core.step import Scene, Step, request
from goldenpath_loop.core.wording import pull_request_words
from goldenpath_loop.records.effects import OpenPullRequest, PushBranch
from goldenpath_loop.records.events import LimitReached
from goldenpath_loop.records.receipts import PushReceipt

__all__ = ["decide"]


def decide(scene: Scene) -> Step:
    """Push each judged remedy's branch and open its pull request: a draft unless its proof is complete."""
    waiting = [one for one in to_show(scene.state) if not can_be_narrowed(scene.state, one)]
    if not waiting:
        return _close(scene)
    if opened(scene.state) >= scene.policy.limits.pull_requests:
        limit = LimitReached(
            limit="pull_requests",
            allowed=scene.policy.limits.pull_requests,
            used=opened(scene.state),
        )
        ready = f"{len(waiting)} more remedies are" if len(waiting) > 1 else "one more remedy is"
        summary = (
            f"{ready} ready, but the limit of {scene.policy.limits.pull_requests} pull requests is reached"
        )
        return Step(events=(limit, scene.finish("stopped", summary)))
    remedy = waiting[0]
    if scene.policy.observe:
        shown = ", ".join(f"{one.id} ({one.branch} at {str(one.head)[:12]})" for one in waiting)
        return Step(events=(scene.finish("stopped", f"only observed: {shown} would be pushed and shown"),))
    assert remedy.head is not None
    push = PushBranch(key=f"push/{remedy.branch}", branch=remedy.branch, head=remedy.head)
    step = request(scene.state, [push])
    if step is not None or push_problem(scene.state, remedy):
        return step or _close(scene)
    findings, verdicts = findings_of(scene, remedy), verdicts_of(scene, remedy)
    asked = about_words(scene, remedy, findings, verdicts)
    step = consult(scene, asked)
    if step is not None:
        return step
    words = words_of(scene, asked, findings, verdicts)
    pushed = scene.state.settled(push.key, PushReceipt)
    pull_request = OpenPullRequest(
        key=f"pull_request/{remedy.branch}",
        branch=remedy.branch,
        head=remedy.head,
        base_branch=scene.policy.target.branch,
        title=title(scene, remedy),
        body=body(scene, remedy, words),
        draft=not is_proven(scene.state, remedy),
        is_pushed=pushed is not None and not pushed.local_only,
    )
    return request(scene.state, [pull_request]) or Step()


def _close(scene: Scene) -> Step:
    lines: list[str] = []
    for remedy in remedies(scene.state):
        receipt = has_pull_request(scene.state, remedy)
        failed = scene.state.failed(f"pull_request/{remedy.branch}")
        if receipt:
            lines.append(f"{remedy.id}: {pull_request_words(receipt)}")
        elif failed:
            lines.append(f"{remedy.id}: {failed.error}")
        elif problem := push_problem(scene.state, remedy):
            lines.append(f"{remedy.id} could not be pushed: {problem}")
    # What was shown already and is tested in this cycle is no reason for another one.
    going_on = any(
        is_shown(scene.state, one) and one.id not in scene.state.cycle_remedies
        for one in remedies(scene.state)
    )
    summary = "; ".join(lines) or "no remedy to show"
    return Step(events=(scene.finish("done" if going_on else "stopped", summary),))
