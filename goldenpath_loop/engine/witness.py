"""The engine's ear for one effect: evidence goes into the session, progress to whoever watches."""

from __future__ import annotations

from collections.abc import Callable

from goldenpath_loop.records.base import EffectKey, EvidenceId
from goldenpath_loop.records.evidence import EvidenceKind, Obtained
from goldenpath_loop.session.session import Session

__all__ = ["OnProgress", "SessionWitness"]

OnProgress = Callable[[EffectKey, str], None]


class SessionWitness:
    """Hands everything on under the key of its effect.

    Args:
        session: The open run.
        key: The effect that is being performed.
        on_progress: Told every progress line; they are never stored.
    """

    def __init__(self, session: Session, key: EffectKey, on_progress: OnProgress | None) -> None:
        self._session = session
        self._key = key
        self._on_progress = on_progress

    async def capture(
        self, kind: EvidenceKind, data: bytes, *, subject: str, obtained: Obtained
    ) -> EvidenceId:
        """Store `data` and return the name it can be cited by."""
        return self._session.capture(kind, data, subject=subject, obtained=obtained, effect=self._key)

    def progress(self, text: str) -> None:
        """Say one short line to whoever watches."""
        if self._on_progress is not None:
            self._on_progress(self._key, text)
