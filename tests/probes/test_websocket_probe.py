"""What a WebSocket probe makes of real handshakes."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request
from websockets.typing import Subprotocol

from goldenpath_loop.probes.service import probe_service
from goldenpath_loop.records.services import ProbeReport
from goldenpath_loop.records.target import ProbeSpec, ServiceSpec

from .conftest import RecordingWitness
from .servers import closed_port, http_answer, http_server, json_answer, silent_server, websocket_server

pytestmark = pytest.mark.anyio


async def ask(url: str, witness: RecordingWitness, *, login_url: str = "", **spec: Any) -> ProbeReport:
    spec = {"path": "/ws/chat", "hold_s": 0.05, **spec}
    service = ServiceSpec(name="edge", probes=(ProbeSpec(name="chat", kind="websocket", **spec),))
    urls = {"edge": url} | ({"auth": login_url} if login_url else {})
    report = await probe_service(service, urls=urls, settings={}, witness=witness)
    (one,) = report.reports
    evidence = witness.named(one.evidence)
    assert evidence.kind == "websocket_handshake"
    assert one.quote and one.quote in evidence.text.split("\n")
    return one


def choose_first(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return offered[0] if offered else None


async def stay(connection: ServerConnection) -> None:
    await connection.wait_closed()


async def test_a_handshake_that_holds_with_its_subprotocol_counts(witness: RecordingWitness) -> None:
    async with websocket_server(stay, choose=choose_first) as (url, requests):
        report = await ask(url, witness, subprotocols=("chat.v1",))
    assert report.answered
    assert report.status == 101
    assert "chat.v1" in report.summary
    assert requests[0].path == "/ws/chat"


async def test_json_instead_of_an_upgrade_is_a_refusal(witness: RecordingWitness) -> None:
    async with http_server(json_answer({"detail": "moved"})) as (url, _):
        report = await ask(url, witness)
    assert not report.answered
    assert report.status == 200
    assert report.summary.startswith("handshake refused: HTTP 200 application/json")
    assert "moved" in report.summary
    assert report.quote == "handshake: refused with HTTP 200 application/json"
    assert '  "detail": "moved"' in witness.captured[0].text.split("\n")


async def test_a_403_is_a_refusal_with_the_start_of_its_body(witness: RecordingWitness) -> None:
    def refuse(_: Request) -> tuple[HTTPStatus, dict[str, str], bytes]:
        return HTTPStatus.FORBIDDEN, {}, b"token\x1b[2J expired"

    async with websocket_server(stay, instead=refuse) as (url, _):
        report = await ask(url, witness)
    assert not report.answered
    assert report.status == 403
    assert report.summary == "handshake refused: HTTP 403 text/plain, token expired"
    assert "HTTP/1.1 403 Forbidden" in witness.captured[0].text.split("\n")


async def test_accepted_and_closed_at_once_is_no_success(witness: RecordingWitness) -> None:
    async def slam(connection: ServerConnection) -> None:
        await connection.close(1011, "internal error")

    async with websocket_server(slam) as (url, _):
        report = await ask(url, witness, hold_s=5)
    assert not report.answered
    assert report.status == 101
    assert report.summary.startswith("accepted, then closed after ")
    assert report.summary.endswith("1011 internal error")
    assert report.quote.startswith("closed by the server: 1011 internal error")


async def test_a_connection_cut_without_a_close_frame_is_no_success(witness: RecordingWitness) -> None:
    async def cut(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with websocket_server(cut) as (url, _):
        report = await ask(url, witness, hold_s=5)
    assert not report.answered
    assert "1006" in report.summary


async def test_no_subprotocol_where_one_was_asked_for_is_no_success(witness: RecordingWitness) -> None:
    async with websocket_server(stay, choose=lambda _, __: None) as (url, _):
        report = await ask(url, witness, subprotocols=("chat.v1", "chat.v2"))
    assert not report.answered
    assert report.summary == "wrong subprotocol: none, asked for chat.v1, chat.v2"


async def test_a_subprotocol_nobody_asked_for_is_no_success(witness: RecordingWitness) -> None:
    async with websocket_server(stay, choose=lambda _, __: "chat.v0") as (url, _):
        report = await ask(url, witness, subprotocols=("chat.v1",))
    assert not report.answered
    assert "chat.v0" in report.summary


async def test_a_redirect_on_the_same_host_is_followed_and_recorded(witness: RecordingWitness) -> None:
    def move(request: Request) -> tuple[HTTPStatus, dict[str, str], bytes] | None:
        if request.path == "/ws/new":
            return None
        return HTTPStatus.TEMPORARY_REDIRECT, {"Location": "/ws/new"}, b""

    async with websocket_server(stay, instead=move) as (url, requests):
        report = await ask(url, witness)
    assert report.answered
    assert [request.path for request in requests] == ["/ws/chat", "/ws/new"]
    assert report.summary.endswith("/ws/new")
    assert "redirected to: ws://" in witness.captured[0].text


async def test_a_redirect_to_another_place_is_not_followed(witness: RecordingWitness) -> None:
    async with websocket_server(stay) as (other, strangers):
        answer = http_answer("302 Found", b"", f"location: {other}/login")
        async with http_server(answer) as (url, _):
            report = await ask(url, witness, headers={"Authorization": "Bearer secret"})
    assert strangers == []
    assert not report.answered
    assert f"redirect to {other}/login" in report.summary


async def test_a_loop_of_redirects_ends(witness: RecordingWitness) -> None:
    async with http_server(http_answer("302 Found", b"", "location: /ws/chat")) as (url, requests):
        report = await ask(url, witness)
    assert not report.answered
    assert len(requests) == 1


async def test_the_token_of_a_login_opens_the_door_and_is_not_stored(witness: RecordingWitness) -> None:
    def check(request: Request) -> tuple[HTTPStatus, dict[str, str], bytes] | None:
        if request.headers.get("Authorization") == "Bearer tok-12345":
            return None
        return HTTPStatus.UNAUTHORIZED, {}, b""

    async def echo_token(connection: ServerConnection) -> None:
        await connection.send("you are tok-12345")
        await connection.wait_closed()

    login = {"url": "{services.auth.url}/login", "json": {"user": "probe", "password": "hunter22"}}
    async with (
        http_server(json_answer({"token": "tok-12345"})) as (auth, _),
        websocket_server(echo_token, instead=check) as (url, _),
    ):
        report = await ask(url, witness, login_url=auth, login=login, collect=1)
    assert report.answered
    stored = witness.captured[0].text
    assert "tok-12345" not in stored
    assert "hunter22" not in stored
    assert "authorization: Bearer ***" in stored.split("\n")
    assert "message: you are ***" in stored.split("\n")


async def test_messages_are_collected_one_a_line_after_the_probe_spoke(witness: RecordingWitness) -> None:
    async def agent(connection: ServerConnection) -> None:
        await connection.send("welcome")
        asked = await connection.recv()
        await connection.send(f"started {asked!s}")
        await connection.send("two\nlines")
        await connection.wait_closed()

    async with websocket_server(agent) as (url, _):
        report = await ask(url, witness, send='{"type": "chat"}', collect=2)
    assert report.answered
    assert report.summary.endswith("2 messages")
    lines = witness.captured[0].text.split("\n")
    said = [line for line in lines if line.startswith(("message: ", "sent: "))]
    assert said == [
        "message: welcome",
        'sent: {"type": "chat"}',
        'message: started {"type": "chat"}',
        "message: two\\nlines",
    ]


async def test_too_few_messages_in_the_time_given_is_no_success(witness: RecordingWitness) -> None:
    async def once(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("agent_started")
        await connection.wait_closed()

    async with websocket_server(once) as (url, _):
        report = await ask(url, witness, send="go", collect=5, timeout_s=0.5)
    assert not report.answered
    assert report.summary == "1 of 5 messages in 0.5 s"
    assert report.quote == "message: agent_started"


async def test_a_close_in_the_middle_of_the_answer_is_no_success(witness: RecordingWitness) -> None:
    async def crash(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("agent_started")
        await connection.close(1011, "boom")

    async with websocket_server(crash) as (url, _):
        report = await ask(url, witness, send="go", collect=5)
    assert not report.answered
    assert report.summary == "closed after 1 of 5 messages: 1011 boom"


async def test_a_close_in_answer_to_the_message_is_no_success_when_nothing_is_collected(
    witness: RecordingWitness,
) -> None:
    async def crash(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.close(1003, "what?")

    async with websocket_server(crash) as (url, _):
        report = await ask(url, witness, send="go", hold_s=0.3)
    assert not report.answered
    assert report.summary == "closed on the message: 1003 what?"


async def test_a_dead_port_is_a_refused_connection(witness: RecordingWitness) -> None:
    report = await ask(f"http://127.0.0.1:{closed_port()}", witness)
    assert not report.answered
    assert report.summary == "no handshake: connection refused"


async def test_a_server_that_says_nothing_ends_at_the_time_limit(witness: RecordingWitness) -> None:
    async with silent_server() as url:
        report = await ask(url, witness, timeout_s=0.2)
    assert not report.answered
    assert report.summary == "no handshake: no answer within 0.2 s"


async def test_what_is_not_http_is_no_handshake(witness: RecordingWitness) -> None:
    async with http_server(b"SSH-2.0-OpenSSH_9.6\r\n\r\n") as (url, _):
        report = await ask(url, witness)
    assert not report.answered
    assert report.summary.startswith("no handshake: ")


async def test_answers_hold_what_the_server_said_and_nothing_measured(witness: RecordingWitness) -> None:
    async def agent(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("agent_started")
        await connection.close(1011, "boom")

    async with websocket_server(agent) as (url, _):
        report = await ask(url, witness, send="go", collect=5)
    assert report.answers == (
        "handshake: accepted, no subprotocol",
        "message: agent_started",
        "closed by the server: 1011 boom",
    )
    lines = witness.captured[0].text.split("\n")
    assert all(answer in lines for answer in report.answers)
