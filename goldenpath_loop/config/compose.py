"""Service names and published ports of a compose file.

Not a YAML parser: it reads the block style that compose files are written in and passes over the rest, which
is enough for a first draft that a person goes through.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["ComposeService", "compose_services"]

_KEY = re.compile(
    r"""^(?P<indent> *)(?P<quote>["']?)(?P<key>[\w.-]+)(?P=quote)\s*:(?:\s+(?P<value>.*))?$""", re.ASCII
)
_DEFAULT = re.compile(r"\$\{\w+:?-(\d+)\}")


@dataclass(frozen=True, slots=True)
class ComposeService:
    """One service; port 0 when none is published to the host."""

    name: str
    port: int


def compose_services(text: str) -> tuple[ComposeService, ...]:
    """Services of the compose file `text`, in order, each with the first port it publishes."""
    services: dict[str, int] = {}
    inside = False
    name = ""
    name_indent = 0
    ports_indent = -1
    for raw in text.split("\n"):
        line = re.sub(r"(^|\s)#.*$", "", raw).rstrip()
        if not line.strip():
            continue
        indent = len(line) - len(line.lstrip(" "))
        key = _KEY.match(line)
        if indent == 0 and not line.startswith("-"):
            inside = key is not None and key["key"] == "services"
            name, name_indent, ports_indent = "", 0, -1
            continue
        if not inside:
            continue
        is_entry = line.lstrip().startswith("-")
        if key and not is_entry and (not name or indent <= name_indent):
            name, name_indent, ports_indent = key["key"], indent, -1
            services.setdefault(name, 0)
            continue
        if key and not is_entry and key["key"] == "ports":
            ports_indent = indent
            for entry in re.findall(r"[^\[\],]+", key["value"] or ""):
                services[name] = services[name] or _published(entry)
            continue
        if ports_indent < 0 or not name:
            continue
        if indent < ports_indent or (indent == ports_indent and not is_entry):
            ports_indent = -1
            continue
        published = re.match(r"\s*(?:-\s*)?published\s*:\s*(.+)$", line)
        entry = published[1].strip("\"' ") + ":" if published else line.strip().removeprefix("-")
        if published or is_entry:
            services[name] = services[name] or _published(entry)
    return tuple(ComposeService(name, port) for name, port in services.items())


def _published(entry: str) -> int:
    """Host port of `8000:80`, `127.0.0.1:8000:80/tcp`, `${PORT:-8000}:80`; 0 when the host port is free."""
    entry = _DEFAULT.sub(r"\1", entry.strip().strip("\"'"))
    if not re.fullmatch(r"(?:[\d.]+:|\[[0-9a-f:]+\]:)?\d+(?:-\d+)?:[\d-]*(?:/\w+)?\"?'?", entry):
        return 0
    host = entry.split("/")[0].rsplit(":", 1)[0].rsplit(":", 1)[-1]
    port = int(host.split("-")[0])
    return port if 0 < port <= 65535 else 0
