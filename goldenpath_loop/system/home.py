"""A home folder of a run's own, so that two runs at once do not meet in one; tools still find what they keep there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["own_home"]

_TOOLS = {
    "CARGO_HOME": ".cargo",
    "DOCKER_CONFIG": ".docker",
    "GIT_CONFIG_GLOBAL": ".gitconfig",
    "GOPATH": "go",
    "GRADLE_USER_HOME": ".gradle",
    "NVM_DIR": ".nvm",
    "PIP_CACHE_DIR": ".cache/pip",
    "PLAYWRIGHT_BROWSERS_PATH": ".cache/ms-playwright",
    "PYENV_ROOT": ".pyenv",
    "PYTHONUSERBASE": ".local",
    "RBENV_ROOT": ".rbenv",
    "RUSTUP_HOME": ".rustup",
    "UV_CACHE_DIR": ".cache/uv",
    "npm_config_cache": ".npm",
}
"""Variables by which a tool is told where its own things lie, and where it looks without."""
_PLACES = {
    "HOME": ".",
    "XDG_CACHE_HOME": ".cache",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
}


def own_home(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Variables by which programs take `folder` for their home.

    Args:
        folder: Is made; lies empty at first.
        environment: What they would find around them otherwise. Interpreters, package caches and git's settings that
            lie in its home are still named.
    """
    folder.mkdir(parents=True, exist_ok=True)
    home = environment.get("HOME")
    kept = {
        name: str(Path(home) / place)
        for name, place in _TOOLS.items()
        if home and name not in environment and (Path(home) / place).exists()
    }
    return {**kept, **{name: str(folder / place) for name, place in _PLACES.items()}}
