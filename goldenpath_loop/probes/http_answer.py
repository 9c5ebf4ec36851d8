"""What an HTTP answer says about a service: status, health word, dependencies, served revision. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from goldenpath_loop.probes.answer import Answer, line_with, said_by_service
from goldenpath_loop.records.services import DependencyReport
from goldenpath_loop.records.target import ProbeSpec
from goldenpath_loop.system.http import Exchange, field_of
from goldenpath_loop.system.plain import plain_line

__all__ = ["classify_http", "dependencies_of", "is_well", "token_of"]

# The field's words for "well": common ones, Spring Boot's `UP`, the health+json draft's `pass`.
_WELL = frozenset(
    {
        "alive", "available", "connected", "healthy", "ok", "online", "operational", "pass", "passing",
        "reachable", "ready", "running", "success", "up",
    }
)  # fmt: skip
_DEGRADED = frozenset({"degraded", "warn", "warning"})
_DEPENDENCIES_READ = 100


def is_well(word: str) -> bool:
    """Whether a health word says that all is well; `degraded` does not."""
    return word.strip().lower() in _WELL


def _health_word(document: Any) -> str:
    """The top-level `status` of a health document; empty when it has none, or a number."""
    value = document.get("status") if isinstance(document, Mapping) else None
    if isinstance(value, bool):
        return "ok" if value else "false"
    return value.strip() if isinstance(value, str) else ""


def _number_ms(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # A huge JSON integer does not fit a float; there is no such time.
    if isinstance(value, int) and abs(value) > 10**15:
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None


def _named(listed: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(listed, Mapping):
        yield from ((str(name), item) for name, item in listed.items())
    elif isinstance(listed, Sequence) and not isinstance(listed, str):
        yield from (
            (str(item["name"]), item) for item in listed if isinstance(item, Mapping) and "name" in item
        )


def dependencies_of(document: Any, name: str) -> tuple[DependencyReport, ...]:
    """The dependencies a health document lists in its field `name`; empty when it lists none."""
    found = []
    for dependency, item in list(_named(field_of(document, name)))[:_DEPENDENCIES_READ]:
        status = item.get("status") if isinstance(item, Mapping) else item
        if isinstance(status, bool):
            status = "ok" if status else "false"
        time_ms = item.get("response_time_ms") if isinstance(item, Mapping) else None
        found.append(
            DependencyReport(
                name=plain_line(dependency, max_chars=100),
                status=plain_line(status, max_chars=100) if isinstance(status, str) else "unknown",
                response_time_ms=_number_ms(time_ms),
            )
        )
    return tuple(found)


def token_of(exchange: Exchange, field: str) -> tuple[str, str]:
    """The token a login gave out, and an empty text; or an empty token, and why there is none."""
    if exchange.error:
        return "", f"login failed: {exchange.error}"
    if exchange.status is None or not 200 <= exchange.status < 300:
        return "", f"login refused: HTTP {exchange.status}"
    token = field_of(exchange.document, field)
    if not isinstance(token, str) or not token:
        return "", f"login answered HTTP {exchange.status} without the field {field!r}"
    if not (token.isascii() and token.isprintable() and token == token.strip()):
        return "", "login answered a token that no header can carry"
    return token, ""


def _answers(lines: Sequence[str]) -> tuple[str, ...]:
    """Status line and body in the transcript of one exchange."""
    answer = list(lines[lines.index("") + 1 :])
    return said_by_service([answer[0], *answer[answer.index("") :]])


def classify_http(spec: ProbeSpec, exchange: Exchange, lines: Sequence[str], *, revision: str = "") -> Answer:
    """Whether an exchange is the answer the probe asks for.

    Args:
        spec: The probe.
        exchange: What happened.
        lines: The transcript of this exchange alone, for the quote.
        revision: JSON field that names the served revision; empty to read none.
    """
    if exchange.error:
        return Answer(
            answered=False,
            summary=f"no answer: {plain_line(exchange.error, max_chars=200)}",
            quote=line_with(lines, "no answer:"),
            status=exchange.status,
            latency_ms=exchange.latency_ms,
        )
    quote = _answers(lines)[0]
    summary = f"{exchange.status} in {exchange.latency_ms:.0f} ms"
    answered = exchange.status == spec.status
    if not answered:
        summary = f"HTTP {summary}, expected {spec.status}"
    if exchange.redirect:
        summary += f", redirect to {plain_line(exchange.redirect, max_chars=200)}"
    word = _health_word(exchange.document)
    # An answer that is meant to be an error (401 for a stranger, say) has an error's `status`.
    judged = bool(word) and not is_well(word) and 200 <= spec.status < 300
    if judged:
        summary += f", status {plain_line(word, max_chars=60)!r}"
        answered = answered and word.lower() in _DEGRADED
        if exchange.status == spec.status:
            quote = line_with(lines, '  "status": ') or quote
    dependencies: tuple[DependencyReport, ...] = ()
    if spec.dependencies:
        dependencies = dependencies_of(exchange.document, spec.dependencies)
        unwell = [f"{item.name} {item.status}" for item in dependencies if not is_well(item.status)]
        if unwell:
            summary += f"; dependencies: {', '.join(unwell[:5])}"
        elif not dependencies and answered:
            summary += f"; lists no dependencies in {spec.dependencies!r}"
    return Answer(
        answered=answered,
        summary=summary,
        quote=quote,
        status=exchange.status,
        latency_ms=exchange.latency_ms,
        dependencies=dependencies,
        revision=exchange.revision(revision),
        answers=_answers(lines),
    )
