"""What the current cycle runs on: its tree, its deployment, and how both come to be."""

from __future__ import annotations

from goldenpath_loop.core.remedies import remedies
from goldenpath_loop.core.step import Scene, Step, request
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.effects import ComposeRemedies, Deploy, PrepareWorktree, ProbeService
from goldenpath_loop.records.receipts import DeployReceipt, ProbeReceipt, WorktreeReceipt
from goldenpath_loop.records.services import ServiceReport, StartReport

__all__ = [
    "cycle_deployment",
    "cycle_revision",
    "cycle_tree",
    "deploy_key",
    "ensure_deployment",
    "ensure_tree",
    "service_reports",
    "start_reports",
    "tree_key",
]


def cycle_tree(scene: Scene) -> str:
    """Name of the worktree that holds what this cycle tests."""
    return f"cycle-{scene.cycle}"


def cycle_deployment(scene: Scene) -> str:
    """Name of the deployment that this cycle's suites talk to; empty when the target has no services."""
    if not scene.policy.services:
        return ""
    return "staging" if scene.cycle == 1 else f"cycle-{scene.cycle}"


def tree_key(scene: Scene) -> str:
    """Key of the effect that makes this cycle's worktree; asked for again after a resume, because it is cheap."""
    return scene.live_key("tree")


def cycle_revision(scene: Scene) -> Revision | None:
    """What this cycle tests: base, or base plus the remedies made so far. None while that is not known."""
    if scene.cycle == 1:
        return scene.base.revision
    for record in reversed(list(scene.state.effects.values())):
        effect, receipt = record.effect, record.receipt
        is_composed = isinstance(effect, ComposeRemedies) and effect.tree == cycle_tree(scene)
        if is_composed and isinstance(receipt, WorktreeReceipt):
            return None if receipt.problem else receipt.revision
    return None


def ensure_tree(scene: Scene) -> Step | None:
    """Get the cycle's worktree; None once it is there or cannot be had."""
    base = scene.base.revision
    assert base is not None
    if scene.cycle > 1:
        heads = tuple(
            one.head
            for one in remedies(scene.state)
            if one.id in scene.state.cycle_remedies and one.head is not None
        )
        compose = ComposeRemedies(key=tree_key(scene), base=base, heads=heads, tree=cycle_tree(scene))
        return request(scene.state, [compose])
    tree = PrepareWorktree(key=tree_key(scene), tree=cycle_tree(scene), revision=base)
    return request(scene.state, [tree])


def deploy_key(scene: Scene) -> str:
    """Key of the effect that deploys this cycle's revision.

    A deployment made of our own processes dies with the engine, so after a resume it is asked for again. One
    made by somebody's deploy script outlives us: asking twice would change the world twice.
    """
    ours = scene.policy.deploy.adapter == "process" or scene.cycle > 1
    return scene.live_key("deploy") if ours else f"c{scene.cycle}/deploy"


def ensure_deployment(scene: Scene) -> Step | None:
    """Get the cycle's tree and deployment; None once both are over, well or not, or nothing is to be done."""
    step = ensure_tree(scene)
    if step is not None:
        return step
    revision = cycle_revision(scene)
    name = cycle_deployment(scene)
    preview = scene.cycle > 1
    if not name or revision is None:
        return None
    adapter = scene.policy.deploy.adapter
    if not preview and (adapter == "none" or (adapter == "command" and scene.policy.observe)):
        return None
    if (
        not preview
        and scene.policy.deploy.adapter == "command"
        and not scene.state.is_over(deploy_key(scene))
    ):
        before = _probes(scene, "before", name)
        step = request(scene.state, before)
        if step is not None:
            return step
        if _serves_already(scene, before, revision):
            return None
    by_script = not preview and scene.policy.deploy.adapter == "command"
    deploy = Deploy(
        key=deploy_key(scene),
        deployment=name,
        tree=cycle_tree(scene),
        revision=revision,
        preview=preview,
        can_be_asked=not by_script or any(service.revision for service in scene.policy.services),
    )
    return request(scene.state, [deploy])


def _probes(scene: Scene, when: str, deployment: str) -> list[ProbeService]:
    return [
        ProbeService(
            key=scene.live_key("probe", when, service.name), deployment=deployment, service=service.name
        )
        for service in scene.policy.services
    ]


def _serves_already(scene: Scene, probes: list[ProbeService], revision: Revision) -> bool:
    reports = [scene.state.settled(probe.key, ProbeReceipt) for probe in probes]
    served = [receipt.report.served_revision for receipt in reports if receipt]
    stated = [found for found in served if found]
    return bool(stated) and all(found == revision for found in stated)


def start_reports(scene: Scene) -> tuple[StartReport, ...]:
    """How the latest start of each service of this cycle's deployment went; empty when we did not start them."""
    name = cycle_deployment(scene)
    for record in reversed(list(scene.state.effects.values())):
        receipt = record.receipt
        if isinstance(receipt, DeployReceipt) and receipt.deployment == name:
            return receipt.starts
    return ()


def service_reports(scene: Scene, deployment: str) -> dict[str, ServiceReport]:
    """The latest probes of every service of `deployment`, by service."""
    found: dict[str, ServiceReport] = {}
    for record in scene.state.effects.values():
        effect = record.effect
        if isinstance(effect, ProbeService) and effect.deployment == deployment:
            receipt = record.receipt
            if isinstance(receipt, ProbeReceipt):
                found[effect.service] = receipt.report
    return found
