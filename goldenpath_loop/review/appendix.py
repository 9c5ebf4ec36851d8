"""The list of everything that was stored, and whether it is still there unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from goldenpath_loop.errors import LogError
from goldenpath_loop.records.evidence import Evidence
from goldenpath_loop.review.reading import Reading
from goldenpath_loop.session.store import EvidenceStore

__all__ = ["EvidenceRow", "evidence_rows"]


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One piece of evidence."""

    evidence: Evidence
    stored: Literal["unchanged", "missing or changed"]


def evidence_rows(reading: Reading, store: EvidenceStore) -> tuple[EvidenceRow, ...]:
    """Every piece of evidence in the order of its capture, its digest computed once more."""
    return tuple(
        EvidenceRow(one, "unchanged" if _is_whole(one, store) else "missing or changed")
        for one in reading.evidence.values()
    )


def _is_whole(evidence: Evidence, store: EvidenceStore) -> bool:
    try:
        store.get(evidence.digest)
    except LogError:
        return False
    return True
