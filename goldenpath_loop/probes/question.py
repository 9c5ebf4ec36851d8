"""A configured probe made ready to ask: placeholders replaced, address complete, headers checked. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from goldenpath_loop.config.variables import expand, port_of
from goldenpath_loop.errors import ConfigurationError
from goldenpath_loop.records.target import ProbeSpec

__all__ = ["Login", "Question", "is_sendable", "prepare"]

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_METHOD = re.compile(r"[A-Z]{1,20}")
_SCHEMES = {"ws": "http", "wss": "https", "http": "http", "https": "https"}


@dataclass(frozen=True, slots=True)
class Login:
    """How to get a token, ready to send."""

    url: str
    body: Mapping[str, str]
    field: str


@dataclass(frozen=True, slots=True)
class Question:
    """One probe of one service, ready to ask."""

    spec: ProbeSpec
    service: str
    url: str
    """Complete address; `ws://` or `wss://` for a WebSocket, the service's own for tcp, tls and dns."""
    host: str
    port: int
    headers: tuple[tuple[str, str], ...] = ()
    send: str = ""
    login: Login | None = None

    @property
    def subject(self) -> str:
        """What the evidence is about, for people."""
        return f"probe {self.service}.{self.spec.name}"


def is_sendable(value: str) -> bool:
    """Whether a text may stand in a header: visible ASCII and inner spaces only."""
    return value.isascii() and value.isprintable() and value == value.strip()


def _parts(url: str, where: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.scheme in _SCHEMES and port_of(url) is not None
    except ValueError:
        usable = False
    if not usable or not is_sendable(url) or " " in url:
        raise ConfigurationError(
            "the address of this probe cannot be used",
            where=where,
            advice="An address looks like http://127.0.0.1:8000 or https://chat.staging.example.",
        )
    return parts


def _address(spec: ProbeSpec, base: str, path: str, where: str) -> str:
    if spec.kind in ("tcp", "tls", "dns"):
        return base
    if "://" not in path:
        path = base.rstrip("/") + "/" + path.removeprefix("/")
    scheme = _SCHEMES[_parts(path, where).scheme]
    if spec.kind == "websocket":
        scheme = scheme.replace("http", "ws")
    return f"{scheme}://{path.partition('://')[2]}"


def prepare(service: str, spec: ProbeSpec, *, base: str, variables: Mapping[str, str]) -> Question:
    """Make a probe ready to ask.

    Args:
        service: Name of the service it belongs to.
        spec: The probe as configured.
        base: Base address of the service in this deployment.
        variables: What its placeholders stand for.

    Raises:
        ConfigurationError: It cannot be asked by anyone: unknown placeholder, no usable address, header or
            method. The message never has a header's value.
    """
    where = f"services.{service}.probes.{spec.name}"
    _parts(base, where)
    url = _address(spec, base, expand(spec.path, variables, where=f"{where}.path"), where)
    parts = _parts(url, where)
    if not _METHOD.fullmatch(spec.method):
        raise ConfigurationError(f"{spec.method!r} is no HTTP method", where=f"{where}.method")
    headers = []
    for name, configured in spec.headers.items():
        value = expand(configured, variables, where=f"{where}.headers.{name}")
        if not _HEADER_NAME.fullmatch(name) or not is_sendable(value):
            raise ConfigurationError("this header cannot be sent", where=f"{where}.headers.{name}")
        headers.append((name.lower(), value))
    for protocol in spec.subprotocols:
        if not _HEADER_NAME.fullmatch(protocol):
            raise ConfigurationError(f"{protocol!r} is no subprotocol", where=f"{where}.subprotocols")
    login = None
    if spec.login is not None:
        there = f"{where}.login"
        address = expand(spec.login.url, variables, where=f"{there}.url")
        if "://" not in address:
            address = base.rstrip("/") + "/" + address.removeprefix("/")
        if _parts(address, f"{there}.url").scheme not in ("http", "https"):
            raise ConfigurationError("a login is asked for by http:// or https://", where=f"{there}.url")
        body = {
            name: expand(value, variables, where=f"{there}.json.{name}")
            for name, value in spec.login.json_body.items()
        }
        login = Login(address, body, spec.login.field)
    return Question(
        spec=spec,
        service=service,
        url=url,
        host=parts.hostname or "",
        port=port_of(url) or 0,
        headers=tuple(headers),
        send=expand(spec.send, variables, where=f"{where}.send"),
        login=login,
    )
