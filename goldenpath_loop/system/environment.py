"""The environments that programs are started with."""

from __future__ import annotations

import os
from collections.abc import Mapping

__all__ = ["own_environment", "with_extra"]

_LEAKING = ("PYTEST_", "GOLDENPATH_STREAM", "GOLDENPATH_TREE", "GOLDENPATH_FOREIGN_ROOT", "COV_CORE_")
_LEAKING_GIT = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_WORK_TREE",
    }
)


def own_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment plus `extra`, without what would steer a child's git or pytest unasked."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _LEAKING_GIT and not name.startswith(_LEAKING)
    }
    return {**kept, **(extra or {})}


def with_extra(environment: Mapping[str, str], extra: Mapping[str, str]) -> dict[str, str]:
    """`environment` plus `extra`; places to import from are joined, the environment's own first."""
    both = {**environment, **extra}
    places = [one["PYTHONPATH"] for one in (environment, extra) if one.get("PYTHONPATH")]
    return {**both, **({"PYTHONPATH": os.pathsep.join(places)} if places else {})}
