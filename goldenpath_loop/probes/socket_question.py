"""Looks up a name, knocks at a port, checks a certificate."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import anyio
from anyio.streams.tls import TLSAttribute

from goldenpath_loop.probes.answer import Answer, Seen
from goldenpath_loop.probes.question import Question
from goldenpath_loop.probes.socket_answer import classify_certificate, classify_connection, classify_name
from goldenpath_loop.system.clock import monotonic_s, now
from goldenpath_loop.system.http import failure_line, trusted_certificates

__all__ = ["ask_socket"]


async def _ask_name(question: Question) -> tuple[Answer, list[str]]:
    began = monotonic_s()
    addresses: list[str] = []
    error = f"no answer within {question.spec.timeout_s:g} s"
    with anyio.move_on_after(question.spec.timeout_s):
        try:
            found = await anyio.getaddrinfo(question.host, question.port, type=socket.SOCK_STREAM)
            addresses = sorted({str(entry[4][0]) for entry in found})
            error = ""
        except (OSError, UnicodeError) as failure:
            error = failure_line(failure)
    return classify_name(question.host, addresses, error, (monotonic_s() - began) * 1000)


async def _ask_port(question: Question) -> tuple[Answer, list[str]]:
    began = monotonic_s()
    latency_ms = question.spec.timeout_s * 1000
    error = f"no answer within {question.spec.timeout_s:g} s"
    with anyio.move_on_after(question.spec.timeout_s):
        try:
            stream = await anyio.connect_tcp(question.host, question.port)
            latency_ms, error = (monotonic_s() - began) * 1000, ""
            await stream.aclose()
        except (OSError, UnicodeError) as failure:
            latency_ms, error = (monotonic_s() - began) * 1000, failure_line(failure)
    return classify_connection(f"{question.host}:{question.port}", error, latency_ms)


async def _ask_certificate(question: Question) -> tuple[Answer, list[str]]:
    began = monotonic_s()
    certificate: Mapping[str, Any] | None = None
    protocol = ""
    latency_ms = question.spec.timeout_s * 1000
    error = f"no answer within {question.spec.timeout_s:g} s"
    with anyio.move_on_after(question.spec.timeout_s):
        try:
            stream = await anyio.connect_tcp(
                question.host,
                question.port,
                tls=True,
                ssl_context=trusted_certificates(),
                tls_standard_compatible=False,
            )
            certificate = stream.extra(TLSAttribute.peer_certificate)
            protocol = stream.extra(TLSAttribute.tls_version)
            latency_ms, error = (monotonic_s() - began) * 1000, ""
            await stream.aclose()
        except (OSError, UnicodeError, anyio.EndOfStream, anyio.BrokenResourceError) as failure:
            latency_ms, error = (monotonic_s() - began) * 1000, failure_line(failure)
    return classify_certificate(
        f"{question.host}:{question.port}", certificate or {}, protocol, error, latency_ms, at=now()
    )


async def ask_socket(question: Question) -> Seen:
    """Ask once, within the probe's `timeout_s`; the kind is one of tcp, tls, dns."""
    started_at, began = now(), monotonic_s()
    kind = question.spec.kind
    place = f"{question.host}:{question.port}"
    if kind == "dns":
        how, (answer, lines) = f"look up {question.host}", await _ask_name(question)
    elif kind == "tls":
        how, (answer, lines) = f"TLS handshake with {place}", await _ask_certificate(question)
    else:
        how, (answer, lines) = f"connect to {place}", await _ask_port(question)
    return Seen(
        answer=answer,
        kind="socket_check",
        transcript="\n".join([how, *lines]) + "\n",
        how=how,
        started_at=started_at,
        duration_s=monotonic_s() - began,
    )
