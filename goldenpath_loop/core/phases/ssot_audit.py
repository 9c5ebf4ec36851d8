"""Does the repair keep a single source of truth?"""

from __future__ import annotations

from goldenpath_loop.core.consultation import consult
from goldenpath_loop.core.opinions import about_hits
from goldenpath_loop.core.remedies import Remedy, audit_key, audited_clean, to_show, under_repair
from goldenpath_loop.core.step import Scene, Step, request
from goldenpath_loop.core.teamwork import patch_of
from goldenpath_loop.records.effects import AuditTree
from goldenpath_loop.records.events import PhaseResult
from goldenpath_loop.records.receipts import AuditReceipt, RemedyReceipt

__all__ = ["decide"]


def decide(scene: Scene) -> Step:
    """One audit a remedy; clean ones go on, and when none is clean the remedies go back."""
    found = [remedy for remedy in under_repair(scene.state) if remedy.receipt is not None]
    step = request(scene.state, [_audit(scene, remedy, remedy.receipt) for remedy in found if remedy.receipt])
    if step is not None:
        return step
    asked = [
        one
        for remedy in found
        for one in about_hits(scene, remedy, scene.state.settled(audit_key(remedy), AuditReceipt))
    ]
    step = consult(scene, asked)
    if step is not None:
        return step
    clean = audited_clean(scene.state)
    verdicts = [scene.state.verdict("audit", remedy.id) for remedy in found]
    summary = "; ".join(
        f"{remedy.id} {verdict.value}: {verdict.statement}"
        if verdict
        else f"{remedy.id} could not be audited"
        for remedy, verdict in zip(found, verdicts, strict=True)
    )
    # A remedy that was judged before and is to be shown goes on as well.
    result: PhaseResult = "done" if clean or to_show(scene.state) else "sent_back"
    return Step(
        events=(
            scene.finish(
                result, summary or "nothing new to audit", *(verdict.id for verdict in verdicts if verdict)
            ),
        )
    )


def _audit(scene: Scene, remedy: Remedy, receipt: RemedyReceipt) -> AuditTree:
    assert receipt.head is not None
    return AuditTree(
        key=audit_key(remedy),
        base=remedy.onto,
        head=receipt.head,
        tree=remedy.tree,
        intended=_intended(scene, remedy),
    )


def _intended(scene: Scene, remedy: Remedy) -> tuple[str, ...]:
    """What a revert may touch: paths that the change under it touched. Of a patch, what its author named."""
    if remedy.commit is None:
        patch = patch_of(scene, remedy)
        files = remedy.receipt.files if remedy.receipt else ()
        return patch.intended if patch and patch.intended else files
    for record in scene.state.effects.values():
        receipt = record.receipt
        if receipt is not None and receipt.kind == "change" and receipt.commit.revision == remedy.commit:
            return receipt.commit.files
    return ()
