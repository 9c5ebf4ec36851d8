"""What the pure halves make of outcomes that are hard to come by on loopback."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from goldenpath_loop.probes.answer import line_with
from goldenpath_loop.probes.handshake_answer import Conversation, classify_handshake, transcript_of
from goldenpath_loop.probes.http_answer import classify_http, dependencies_of, token_of
from goldenpath_loop.probes.socket_answer import classify_certificate
from goldenpath_loop.probes.transcript import of_exchange
from goldenpath_loop.records.target import ProbeSpec
from goldenpath_loop.system.http import Exchange

AT = datetime(2026, 11, 20, tzinfo=UTC)


def exchange(document: Any = None, *, status: int | None = 200, error: str = "") -> Exchange:
    return Exchange(
        "GET", "http://a/health", (), AT, 3.0, status=status, reason="OK", error=error, document=document
    )


def http(spec: ProbeSpec, seen: Exchange) -> tuple[bool, str]:
    answer = classify_http(spec, seen, of_exchange(seen))
    return answer.answered, answer.summary


@pytest.mark.parametrize(
    ("document", "answered"),
    [
        ({"status": True}, True),
        ({"status": False}, False),
        ({"status": 200}, True),
        ({"status": ""}, True),
        ({"status": " UP "}, True),
        ({"status": "warn"}, True),
        ({"status": "red"}, False),
        (["status"], True),
        (None, True),
    ],
)
def test_only_a_health_word_that_says_so_makes_an_answer_unwell(document: Any, answered: bool) -> None:
    assert http(ProbeSpec(name="p", kind="http"), exchange(document))[0] is answered


def test_dependencies_that_are_asked_for_and_not_listed_are_noted() -> None:
    spec = ProbeSpec(name="p", kind="http", dependencies="checks")
    assert http(spec, exchange({})) == (True, "200 in 3 ms; lists no dependencies in 'checks'")


@pytest.mark.parametrize("value", [True, -1, float("nan"), 10**400, "3"])
def test_a_time_that_is_none_is_left_out(value: Any) -> None:
    (found,) = dependencies_of({"d": {"db": {"status": "ok", "response_time_ms": value}}}, "d")
    assert found.response_time_ms is None


@pytest.mark.parametrize(
    ("seen", "problem"),
    [
        (exchange(error="connection refused", status=None), "login failed: connection refused"),
        (exchange({"token": "x"}, status=302), "login refused: HTTP 302"),
        (exchange({"tokens": "x"}), "login answered HTTP 200 without the field 'token'"),
        (exchange({"token": 7}), "login answered HTTP 200 without the field 'token'"),
        (exchange({"token": "a\r\nx-admin: 1"}), "login answered a token that no header can carry"),
        (exchange({"token": "tok-12345"}), ""),
    ],
)
def test_a_token_is_taken_only_from_a_good_answer_and_if_a_header_can_carry_it(
    seen: Exchange, problem: str
) -> None:
    token, why = token_of(seen, "token")
    assert why == problem
    assert bool(token) is (not problem)


def conversation(**changes: Any) -> Conversation:
    return Conversation(**{"url": "ws://a/ws", "sent": (), "status": 101, "is_open": True, **changes})


@pytest.mark.parametrize(
    ("spec", "talk", "summary"),
    [
        ({}, {"held": True, "latency_ms": 4.0}, "open after 4 ms"),
        ({"hold_s": 9}, {}, "not held open for 9 s within 5 s"),
        ({"collect": 2}, {"held": True, "collected": 1}, "1 of 2 messages in 5 s"),
        ({"collect": 2}, {"collected": 2, "closed": "1000"}, "open after 0 ms, 2 messages"),
        ({}, {"closed": "1000", "closed_after_ms": 2.0}, "accepted, then closed after 2 ms: 1000"),
        ({}, {"is_open": False, "status": None}, "no handshake within 5 s"),
        ({}, {"is_open": False, "status": 502, "body": b"<html>"}, "handshake refused: HTTP 502, <html>"),
    ],
)
def test_a_conversation_is_judged_by_what_was_asked_for(
    spec: dict[str, Any], talk: dict[str, Any], summary: str
) -> None:
    probe, said = ProbeSpec(name="p", kind="websocket", **spec), conversation(**talk)
    answer = classify_handshake(probe, said, transcript_of(said))
    assert answer.summary == summary
    assert answer.answered is summary.startswith("open")


def test_a_token_that_comes_back_is_masked_in_the_summary() -> None:
    said = conversation(is_open=False, status=403, body=b"bad token tok-12345")
    secrets = ("tok-12345",)
    answer = classify_handshake(
        ProbeSpec(name="p", kind="websocket"), said, transcript_of(said, secrets=secrets), secrets=secrets
    )
    assert answer.summary == "handshake refused: HTTP 403, bad token ***"


def test_a_token_at_a_cut_leaves_no_first_half() -> None:
    token = "tok-" + "x" * 300
    said = conversation(
        is_open=False, status=403, body=b"y" * 100 + token.encode(), said=[("message", token)]
    )
    lines = transcript_of(said, secrets=(token,))
    answer = classify_handshake(ProbeSpec(name="p", kind="websocket"), said, lines, secrets=(token,))
    assert "tok-" not in answer.summary + "".join(lines) + "".join(answer.answers)


def test_a_certificate_without_an_end_is_only_verified() -> None:
    answer, _ = classify_certificate("a:443", {}, "TLSv1.3", "", 1.0, at=AT)
    assert answer.summary == "certificate verified"


def test_no_line_is_no_quote() -> None:
    assert line_with(["a", "b"], "c") == ""
