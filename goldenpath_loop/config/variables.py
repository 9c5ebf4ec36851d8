"""Placeholders in configured texts, `{services.auth.url}`, and the values they stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from urllib.parse import urlsplit

from goldenpath_loop.errors import ConfigurationError

__all__ = ["expand", "port_of", "variables_of"]

# A name alone between braces: JSON texts such as {"type": "chat"} are full of braces and pass untouched.
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)\}")
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def expand(text: str, variables: Mapping[str, str], *, where: str = "") -> str:
    """`text` with every `{name}` replaced by its value; values are not expanded again.

    Args:
        text: A configured text.
        variables: Name to value, such as `services.auth.url`.
        where: The key the text stands at, for the message.

    Raises:
        ConfigurationError: A name is not known; the message has the nearest one that is.
    """

    def value_of(match: re.Match[str]) -> str:
        name = match[1]
        if name in variables:
            return variables[name]
        near = get_close_matches(name, variables, n=1, cutoff=0.5)
        if near:
            advice = f"The nearest name that is known is {{{near[0]}}}."
        elif name.startswith("env."):
            advice = f"Set {name.removeprefix('env.')} in the environment or in the env_file."
        else:
            advice = "Known names: " + ", ".join(sorted(n for n in variables if not n.startswith("env.")))
        raise ConfigurationError(f"{{{name}}} stands for nothing here", where=where, advice=advice)

    return _PLACEHOLDER.sub(value_of, text)


def port_of(url: str) -> int | None:
    """The port of an address, the scheme's own when it names none; None when neither says."""
    try:
        parts = urlsplit(url)
        return parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None


def variables_of(
    urls: Mapping[str, str],
    ports: Mapping[str, int] | None = None,
    python: str = "",
    worktree: str = "",
    settings: Mapping[str, str] | None = None,
    *,
    service: str = "",
) -> dict[str, str]:
    """What placeholders stand for in one deployment.

    Args:
        urls: Service name to base address.
        ports: Service name to port; where it says nothing the address does.
        python: Interpreter for `{python}`; empty for none.
        worktree: Folder for `{worktree}`; empty for none.
        settings: Environment for `{env.NAME}`.
        service: The service whose texts are expanded: gives `{url}` and `{port}`.
    """
    variables = {f"env.{name}": value for name, value in (settings or {}).items()}
    for name, url in urls.items():
        port = (ports or {}).get(name) or port_of(url)
        own = {"url": url.rstrip("/")} | ({} if port is None else {"port": str(port)})
        variables |= {f"services.{name}.{key}": value for key, value in own.items()}
        if name == service:
            variables |= own
    if python:
        variables["python"] = python
    if worktree:
        variables["worktree"] = worktree
    return variables
