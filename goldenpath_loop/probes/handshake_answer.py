"""What a WebSocket handshake and the conversation after it come to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from goldenpath_loop.probes.answer import Answer, line_with, said_by_service
from goldenpath_loop.probes.transcript import body_text, header_lines, mask
from goldenpath_loop.records.target import ProbeSpec
from goldenpath_loop.system.plain import plain, plain_line

__all__ = ["Conversation", "classify_handshake", "transcript_of"]

_MESSAGE_CHARS = 4000
_BODY_START_CHARS = 120
_SAID = ("handshake: ", "message: ", "closed by the server: ")


@dataclass(slots=True)
class Conversation:
    """What was said over one connection, filled in while it goes on: a time limit may end it anywhere."""

    url: str
    sent: Sequence[tuple[str, str]]
    """Request headers that the probe sets itself."""
    hops: list[str] = field(default_factory=list)
    """Addresses that redirects led to."""
    status: int | None = None
    reason: str = ""
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    is_open: bool = False
    """Whether the handshake succeeded."""
    latency_ms: float | None = None
    """Until the server had answered the handshake."""
    subprotocol: str | None = None
    held: bool = False
    """Whether the socket stayed open for `hold_s`."""
    said: list[tuple[str, str]] = field(default_factory=list)
    """`sent` or `message`, and the text, in order."""
    collected: int = 0
    """Messages that count towards `collect`."""
    closed: str = ""
    """Close code and reason when the server ended it: `1011 internal error`."""
    closed_after_ms: float = 0.0
    error: str = ""
    """Why there was no handshake at all."""


def _media_type(conversation: Conversation) -> str:
    for name, value in conversation.headers:
        if name.lower() == "content-type":
            return plain_line(value.partition(";")[0].strip().lower(), max_chars=60)
    return ""


def _location(conversation: Conversation) -> str:
    return next((value for name, value in conversation.headers if name.lower() == "location"), "")


def _refusal(conversation: Conversation) -> str:
    return f"HTTP {conversation.status} {_media_type(conversation)}".strip()


def transcript_of(conversation: Conversation, *, secrets: Sequence[str] = ()) -> list[str]:
    """The lines of a conversation: request, what the server answered, one line a message, how it ended."""
    lines = [plain_line(f"GET {conversation.url}", max_chars=2000), "upgrade: websocket"]
    lines += [*header_lines(conversation.sent), ""]
    lines += [f"redirected to: {plain_line(hop, max_chars=500)}" for hop in conversation.hops]
    if conversation.status is not None:
        lines.append(plain_line(f"HTTP/1.1 {conversation.status} {conversation.reason}", max_chars=200))
        lines += [*header_lines(conversation.headers), ""]
    if conversation.latency_ms is not None:
        lines.append(f"received: answer to the handshake after {conversation.latency_ms:.0f} ms")
    if conversation.is_open:
        chosen = f"subprotocol {conversation.subprotocol}" if conversation.subprotocol else "no subprotocol"
        lines.append(f"handshake: accepted, {plain_line(chosen, max_chars=200)}")
    elif conversation.status is not None:
        body = body_text(conversation.body, secrets)
        lines += [*body.split("\n"), ""] if body else []
        lines.append(f"handshake: refused with {_refusal(conversation)}")
    lines += [
        f"{kind}: {plain_line(mask(text, secrets), max_chars=_MESSAGE_CHARS)}"
        for kind, text in conversation.said
    ]
    if conversation.closed:
        closed = plain_line(conversation.closed, max_chars=300)
        lines.append(f"open for: {conversation.closed_after_ms:.0f} ms")
        lines.append(f"closed by the server: {closed}")
    if conversation.error:
        lines.append(f"no handshake: {plain_line(conversation.error, max_chars=400)}")
    return [mask(line, secrets) for line in lines]


def _problem(
    spec: ProbeSpec, conversation: Conversation, secrets: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """Why this is not the answer asked for (empty when it is), and how the line begins that shows it."""
    if conversation.error:
        return f"no handshake: {plain_line(conversation.error, max_chars=200)}", ("no handshake:",)
    if not conversation.is_open and conversation.status is not None:
        problem = f"handshake refused: {_refusal(conversation)}"
        location = _location(conversation)
        start = " ".join(
            plain(
                mask(conversation.body.decode(errors="replace"), secrets), max_chars=_BODY_START_CHARS
            ).split()
        )
        if location:
            problem += f", redirect to {plain_line(location, max_chars=200)}"
        elif start:
            problem += f", {start}"
        return problem, ("handshake: refused",)
    if not conversation.is_open:
        return f"no handshake within {spec.timeout_s:g} s", ("no handshake",)
    heard_all = spec.collect > 0 and conversation.collected >= spec.collect
    if conversation.closed and not conversation.held and not heard_all:
        closed = plain_line(conversation.closed, max_chars=200)
        after = f"{conversation.closed_after_ms:.0f} ms"
        return f"accepted, then closed after {after}: {closed}", ("closed by the server:",)
    if spec.subprotocols and conversation.subprotocol not in spec.subprotocols:
        chosen = plain_line(conversation.subprotocol or "none", max_chars=60)
        asked = ", ".join(spec.subprotocols)
        return f"wrong subprotocol: {chosen}, asked for {asked}", ("handshake: accepted",)
    if not conversation.held and not heard_all:
        return f"not held open for {spec.hold_s:g} s within {spec.timeout_s:g} s", ("handshake: accepted",)
    if conversation.collected < spec.collect:
        got = f"{conversation.collected} of {spec.collect} messages"
        if conversation.closed:
            closed = plain_line(conversation.closed, max_chars=200)
            return f"closed after {got}: {closed}", ("closed by the server:",)
        return f"{got} in {spec.timeout_s:g} s", ("message:", "sent:", "handshake: accepted")
    if conversation.closed and spec.send and not spec.collect:
        return f"closed on the message: {plain_line(conversation.closed, max_chars=200)}", (
            "closed by the server:",
        )
    return "", ("handshake: accepted",)


def _answers(conversation: Conversation, lines: Sequence[str], secrets: Sequence[str]) -> list[str]:
    body = body_text(conversation.body, secrets).split("\n")
    return [line for line in lines if line.startswith(_SAID) or (line in body and not conversation.is_open)]


def classify_handshake(
    spec: ProbeSpec, conversation: Conversation, lines: Sequence[str], *, secrets: Sequence[str] = ()
) -> Answer:
    """Whether a conversation is what the probe asks for.

    Args:
        spec: The probe.
        conversation: What was said.
        lines: Its transcript, for the quote.
        secrets: Values that must not appear in the summary.
    """
    problem, starts = _problem(spec, conversation, secrets)
    summary = problem
    if not problem:
        summary = f"open after {conversation.latency_ms or 0:.0f} ms"
        if conversation.subprotocol:
            summary += f", {plain_line(conversation.subprotocol, max_chars=60)}"
        if conversation.collected:
            summary += f", {conversation.collected} messages"
    if conversation.hops:
        summary += f", redirected to {plain_line(conversation.hops[-1], max_chars=200)}"
    return Answer(
        answered=not problem,
        summary=mask(summary, secrets),
        quote=line_with(lines, *starts),
        status=conversation.status,
        latency_ms=conversation.latency_ms,
        answers=said_by_service(_answers(conversation, lines, secrets)),
    )
