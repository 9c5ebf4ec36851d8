"""What a name, a port or a certificate comes to. Pure."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from goldenpath_loop.probes.answer import Answer
from goldenpath_loop.system.plain import plain_line

__all__ = ["certificate_lines", "classify_certificate", "classify_connection", "classify_name"]

_SOON = timedelta(days=14)


def classify_name(
    host: str, addresses: Sequence[str], error: str, latency_ms: float
) -> tuple[Answer, list[str]]:
    """Whether a name has an address, and the transcript of asking."""
    if error:
        line = f"{host}: {plain_line(error, max_chars=200)}"
        return Answer(answered=False, summary=line, quote=line, latency_ms=latency_ms), [line]
    lines = [f"{host}: {address}" for address in addresses]
    summary = f"{host} is {', '.join(addresses[:3])}"
    return Answer(
        answered=bool(lines), summary=summary, quote=lines[0] if lines else "", latency_ms=latency_ms
    ), lines


def classify_connection(place: str, error: str, latency_ms: float) -> tuple[Answer, list[str]]:
    """Whether a port takes connections, and the transcript of trying."""
    if error:
        text = plain_line(error, max_chars=200)
        line = f"not connected to {place}: {text}"
        return Answer(answered=False, summary=f"no connection: {text}", quote=line, latency_ms=latency_ms), [
            line
        ]
    line = f"connected to {place} in {latency_ms:.0f} ms"
    return Answer(
        answered=True, summary=f"connected in {latency_ms:.0f} ms", quote=line, latency_ms=latency_ms
    ), [line]


def _names(parts: Any) -> str:
    """A distinguished name as `CN=chat, O=Example`; the library gives tuples of tuples of pairs."""
    pairs = [pair for group in parts or () for pair in group]
    return ", ".join(f"{key}={value}" for key, value in pairs)


def certificate_lines(certificate: Mapping[str, Any], protocol: str) -> list[str]:
    """A verified certificate as lines for people."""
    alternatives = ", ".join(value for _, value in certificate.get("subjectAltName", ())[:20])
    return [
        plain_line(line, max_chars=600)
        for line in (
            f"protocol: {protocol}",
            f"subject: {_names(certificate.get('subject'))}",
            f"issuer: {_names(certificate.get('issuer'))}",
            f"names: {alternatives}",
            f"valid from: {certificate.get('notBefore', 'unknown')}",
            f"valid until: {certificate.get('notAfter', 'unknown')}",
        )
    ]


def classify_certificate(
    place: str, certificate: Mapping[str, Any], protocol: str, error: str, latency_ms: float, *, at: datetime
) -> tuple[Answer, list[str]]:
    """Whether a TLS connection is trusted, how long it still will be, and the transcript.

    Args:
        place: Host and port, for people.
        certificate: The server's certificate as the standard library gives it after verification.
        protocol: Such as `TLSv1.3`.
        error: Why there is no trusted connection; empty when there is.
        latency_ms: Until the connection was there.
        at: The time that counts for the expiry, aware.
    """
    if error:
        text = plain_line(error, max_chars=200)
        line = f"no TLS with {place}: {text}"
        return Answer(answered=False, summary=f"no TLS: {text}", quote=line, latency_ms=latency_ms), [line]
    shown = certificate_lines(certificate, protocol)
    lines = [f"connected to {place} in {latency_ms:.0f} ms, certificate verified", *shown]
    until = certificate.get("notAfter")
    summary = "certificate verified"
    if isinstance(until, str):
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC)
        summary += f", valid until {ends:%Y-%m-%d}"
        if ends - at < _SOON:
            summary += f", expires in {max((ends - at).days, 0)} days"
    return Answer(answered=True, summary=summary, quote=shown[-1], latency_ms=latency_ms), lines
