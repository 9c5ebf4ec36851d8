"""What a person or the next run needs to know of a run that a limit ended, or kept from going further."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from goldenpath_loop.records.base import EffectKey, Record, Revision

__all__ = ["ClusterStage", "ClusterStand", "HandOff", "LimitUse", "RemedyStand"]

ClusterStage = Literal["found", "triaged", "searched", "culprit", "remedy", "proven", "shown"]
"""How far a cluster came: its tests failed; run alone, again and again; history was searched and no commit confirmed;
the culprit is confirmed; there is a remedy; it is proven; its pull request is open."""


class LimitUse(Record):
    """One limit and what of it is spent."""

    limit: str
    allowed: float
    used: float


class ClusterStand(Record):
    """How far one cluster of failures came."""

    cluster: str
    test: str
    """The test that stands for the cluster; for a search of its own the word `command`."""
    tests: int = Field(ge=1)
    stage: ClusterStage
    statement: str
    left: int = 0
    """Commits among which its culprit still is; 0 when nothing is known of that, or nothing is left to search."""
    newest: Revision | None = None
    """The newest of them."""
    oldest: Revision | None = None
    culprit: Revision | None = None


class RemedyStand(Record):
    """A remedy that is proven and that nobody was shown."""

    remedy: str
    branch: str
    head: Revision
    clusters: tuple[str, ...] = ()


class HandOff(Record):
    """Where a run left off."""

    reached: tuple[str, ...]
    """Limits that were reached, in that order; `attempts/K1` is that of one cluster."""
    ended_by: str = ""
    """The one that ended the run; empty when it went on without what the limits denied."""
    spent: tuple[LimitUse, ...]
    """Every limit of the run. Of `attempts`, which hold for each cluster, the most that one used."""
    cycle: int = Field(ge=0)
    phase: str = ""
    """The phase that was open; empty between two."""
    unfinished: tuple[EffectKey, ...] = ()
    """What was under way and was ended without a result."""
    clusters: tuple[ClusterStand, ...] = ()
    remedies: tuple[RemedyStand, ...] = ()
    """Proven, and without a pull request."""
    while_it_ran: str = ""
    """The command that would have given it more."""
    next_run: str = ""
    """The command that begins another run with more; empty for a search of its own, which has no such limits."""
