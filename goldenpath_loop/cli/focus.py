"""From a whole configuration and the name of a focus to what decisions depend on."""

from __future__ import annotations

from goldenpath_loop.errors import UsageError
from goldenpath_loop.records.policy import Policy, Settings

__all__ = ["policy_of"]


def policy_of(settings: Settings, focus: str | None) -> Policy:
    """The policy of a run on `focus`; without a name it is `goldenpath`, else the first one configured.

    Raises:
        UsageError: There is no such focus.
    """
    names = {one.name: one for one in settings.focuses}
    wanted = focus or ("goldenpath" if "goldenpath" in names else next(iter(names), None))
    if wanted is None or wanted not in names:
        known = ", ".join(names) or "none is configured; add [focuses.goldenpath]"
        raise UsageError(f"there is no focus called {wanted or 'goldenpath'}", advice=f"Focuses: {known}.")
    return Policy(
        target=settings.target,
        deploy=settings.deploy,
        services=settings.services,
        suites=settings.suites,
        focus=names[wanted],
        gates=settings.gates,
        limits=settings.limits,
        model=settings.model,
        jobs=settings.loop.jobs,
    )
