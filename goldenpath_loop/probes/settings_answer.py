"""Whether the settings a service cannot do without are there. Names only, never values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from goldenpath_loop.probes.answer import Answer, Seen

__all__ = ["see_settings"]


def see_settings(
    names: tuple[str, ...], environment: Mapping[str, str], *, at: datetime
) -> tuple[tuple[str, Seen], ...]:
    """One answer a name; all share one transcript.

    Args:
        names: The required settings.
        environment: What the service runs with.
        at: When `environment` was read, aware.
    """
    states = {name: _state(environment.get(name)) for name in names}
    transcript = "".join(f"{name}: {state}\n" for name, state in states.items())
    return tuple(
        (
            name,
            Seen(
                answer=Answer(
                    answered=state == "set",
                    summary=f"setting {name} is {state}",
                    quote=f"{name}: {state}",
                ),
                kind="setting",
                transcript=transcript,
                how="names in the environment the service is started with",
                started_at=at,
                duration_s=0.0,
            ),
        )
        for name, state in states.items()
    )


def _state(value: str | None) -> str:
    if value is None:
        return "not set"
    return "set" if value.strip() else "empty"
