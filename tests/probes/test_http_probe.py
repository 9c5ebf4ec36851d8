"""What an HTTP probe makes of real answers."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from goldenpath_loop.probes.service import probe_service
from goldenpath_loop.records.services import ProbeReport, ServiceReport
from goldenpath_loop.records.target import ProbeSpec, ServiceSpec

from .conftest import RecordingWitness
from .servers import closed_port, http_answer, http_server, json_answer, silent_server

pytestmark = pytest.mark.anyio

REVISION = "0123456789abcdef0123456789abcdef01234567"


async def ask(
    url: str,
    witness: RecordingWitness,
    *,
    revision: str = "",
    settings: dict[str, str] | None = None,
    **spec: Any,
) -> ServiceReport:
    probe = ProbeSpec(name="health", kind="http", path="/health", **spec)
    service = ServiceSpec(name="auth", revision=revision, probes=(probe,))
    report = await probe_service(service, urls={"auth": url}, settings=settings or {}, witness=witness)
    for one in report.reports:
        assert one.quote and one.quote in witness.named(one.evidence).text.split("\n")
    return report


def only(report: ServiceReport) -> ProbeReport:
    (one,) = report.reports
    return one


async def test_a_healthy_answer_counts_and_its_evidence_reads_like_the_exchange(
    witness: RecordingWitness,
) -> None:
    async with http_server(json_answer({"status": "healthy", "n": 1.50})) as (url, requests):
        report = only(await ask(url, witness, headers={"X-Probe": "1"}))
    assert report.answered
    assert report.status == 200
    assert report.summary.startswith("200 in ")
    assert "x-probe: 1" in requests[0].lower()
    (evidence,) = witness.captured
    assert evidence.kind == "http_exchange"
    assert evidence.subject == "probe auth.health"
    lines = evidence.text.split("\n")
    assert lines[0] == f"GET {url}/health"
    assert "HTTP/1.1 200 OK" in lines
    assert '  "status": "healthy",' in lines
    assert any(line.startswith("received: ") for line in lines)


@pytest.mark.parametrize("word", ["unhealthy", "DOWN", "error"])
async def test_a_health_word_that_is_not_well_does_not_count_although_the_status_is_200(
    witness: RecordingWitness, word: str
) -> None:
    async with http_server(json_answer({"status": word})) as (url, _):
        report = only(await ask(url, witness))
    assert not report.answered
    assert report.status == 200
    assert report.summary.endswith(f"status {word!r}")
    assert report.quote == f'  "status": "{word}"'


async def test_degraded_counts_as_an_answer_and_is_noted(witness: RecordingWitness) -> None:
    async with http_server(json_answer({"status": "degraded"})) as (url, _):
        report = only(await ask(url, witness))
    assert report.answered
    assert "degraded" in report.summary


async def test_another_status_does_not_count(witness: RecordingWitness) -> None:
    async with http_server(json_answer({"detail": "no database"}, "503 Service Unavailable")) as (url, _):
        report = only(await ask(url, witness))
    assert not report.answered
    assert report.status == 503
    assert report.quote == "HTTP/1.1 503 Service Unavailable"


async def test_a_refusal_counts_when_it_is_what_the_probe_asks_for(witness: RecordingWitness) -> None:
    async with http_server(json_answer({"status": "error"}, "401 Unauthorized")) as (url, _):
        report = only(await ask(url, witness, status=401))
    assert report.answered


async def test_a_redirect_is_recorded_and_not_followed(witness: RecordingWitness) -> None:
    async with http_server(http_answer("307 Temporary Redirect", b"", "location: /elsewhere")) as (
        url,
        requests,
    ):
        report = only(await ask(url, witness))
    assert len(requests) == 1
    assert not report.answered
    assert report.summary.endswith(f"expected 200, redirect to {url}/elsewhere")
    assert "location: /elsewhere" in witness.captured[0].text


async def test_dependencies_are_read_and_one_that_is_unwell_is_named(witness: RecordingWitness) -> None:
    document = {
        "status": "healthy",
        "dependencies": {
            "database": {"status": "healthy", "response_time_ms": 3.5},
            "queue": {"status": "unhealthy", "response_time_ms": "fast"},
            "cache": "connected",
        },
    }
    async with http_server(json_answer(document)) as (url, _):
        report = only(await ask(url, witness, dependencies="dependencies"))
    assert report.answered
    assert [(d.name, d.status, d.response_time_ms) for d in report.dependencies] == [
        ("database", "healthy", 3.5),
        ("queue", "unhealthy", None),
        ("cache", "connected", None),
    ]
    assert report.summary.endswith("; dependencies: queue unhealthy")


async def test_the_served_revision_is_read_from_the_configured_field(witness: RecordingWitness) -> None:
    async with http_server(json_answer({"build": {"revision": REVISION}})) as (url, _):
        report = await ask(url, witness, revision="build.revision")
    assert report.served_revision == REVISION
    assert witness.captured[0].obtained.served_revision == REVISION


@pytest.mark.parametrize("value", ["0123456", "main", "", None, 7, REVISION + "0"])
async def test_what_is_no_full_commit_id_is_no_served_revision(witness: RecordingWitness, value: Any) -> None:
    async with http_server(json_answer({"revision": value})) as (url, _):
        report = await ask(url, witness, revision="revision")
    assert report.served_revision is None


async def test_a_dead_port_is_a_refused_connection(witness: RecordingWitness) -> None:
    report = only(await ask(f"http://127.0.0.1:{closed_port()}", witness))
    assert not report.answered
    assert report.summary == "no answer: connection refused"
    assert report.quote == "no answer: connection refused"
    assert report.status is None


async def test_a_name_that_nobody_knows_is_said(witness: RecordingWitness) -> None:
    report = only(await ask("http://nonexistent.invalid", witness, timeout_s=20))
    assert not report.answered
    assert report.summary.startswith("no answer: name not ")


async def test_a_server_that_says_nothing_ends_at_the_time_limit(witness: RecordingWitness) -> None:
    async with silent_server() as url:
        report = only(await ask(url, witness, timeout_s=0.2))
    assert not report.answered
    assert report.summary == "no answer: no answer within 0.2 s"


async def test_an_answer_that_stops_in_the_middle_is_no_answer(witness: RecordingWitness) -> None:
    torn = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"
    async with http_server(torn) as (url, _):
        report = only(await ask(url, witness))
    assert not report.answered


async def test_what_is_not_http_is_said(witness: RecordingWitness) -> None:
    async with http_server(b"SSH-2.0-OpenSSH_9.6\r\n\r\n") as (url, _):
        report = only(await ask(url, witness))
    assert not report.answered
    assert "not HTTP" in report.summary


async def test_a_credential_from_the_settings_is_sent_and_masked(witness: RecordingWitness) -> None:
    async with http_server(json_answer({"status": "ok"})) as (url, requests):
        report = only(
            await ask(
                url,
                witness,
                headers={"Authorization": "Bearer {env.API_TOKEN}"},
                settings={"API_TOKEN": "t0p-s3cret"},
            )
        )
    assert report.answered
    assert "Bearer t0p-s3cret" in requests[0]
    assert "t0p-s3cret" not in witness.captured[0].text
    assert "authorization: Bearer ***" in witness.captured[0].text.split("\n")


async def test_a_login_gives_the_token_and_neither_credential_is_stored(witness: RecordingWitness) -> None:
    def answer(request: str) -> bytes:
        if request.startswith("POST /login"):
            return json_answer({"data": {"token": "tok-12345"}})
        return json_answer({"status": "ok", "you_said": "tok-12345"})

    async with http_server(answer) as (url, requests):
        login = {"url": "{services.auth.url}/login", "json": {"password": "hunter22"}, "field": "data.token"}
        report = only(await ask(url, witness, login=login))
    assert report.answered
    assert "hunter22" in requests[0]
    assert "Bearer tok-12345" in requests[1]
    stored = witness.captured[0].text
    assert "tok-12345" not in stored
    assert "hunter22" not in stored
    assert "POST" in stored


async def test_a_refused_login_is_the_probes_outcome(witness: RecordingWitness) -> None:
    async with http_server(json_answer({"detail": "who?"}, "401 Unauthorized")) as (url, requests):
        report = only(await ask(url, witness, login={"url": "/login", "json": {}}))
    assert len(requests) == 1
    assert not report.answered
    assert report.summary == "login refused: HTTP 401"
    assert report.quote == "HTTP/1.1 401 Unauthorized"


async def test_a_huge_body_is_cut_and_that_is_said(witness: RecordingWitness) -> None:
    async with http_server(http_answer("200 OK", b"x" * 3_000_000)) as (url, _):
        await ask(url, witness)
    stored = witness.captured[0].text
    assert len(stored) < 100_000
    assert "the rest was not read" in stored


async def test_a_packed_body_is_stored_as_what_it_is(witness: RecordingWitness) -> None:
    packed = gzip.compress(json.dumps({"status": "ok"}).encode())
    async with http_server(http_answer("200 OK", packed, "content-encoding: gzip")) as (url, requests):
        await ask(url, witness)
    assert "accept-encoding: identity" in requests[0].lower()
    assert "bytes that are not text" in witness.captured[0].text


async def test_control_characters_from_outside_do_not_act(witness: RecordingWitness) -> None:
    async with http_server(http_answer("200 OK", "\x1b[31mred\x07 \u202eevil".encode())) as (url, _):
        await ask(url, witness)
    stored = witness.captured[0].text
    assert "red\\x07 \\u202eevil" in stored
    assert "\x1b" not in stored


async def test_answers_hold_what_the_server_said_and_nothing_measured(witness: RecordingWitness) -> None:
    async with http_server(json_answer({"status": "ok", "queue": 3}, "503 Service Unavailable")) as (url, _):
        report = only(
            await ask(url, witness, login={"url": "/health", "json": {}, "field": "status"}, status=503)
        )
    assert report.answers == ()
    async with http_server(json_answer({"status": "ok", "queue": 3})) as (url, _):
        report = only(await ask(url, witness, login={"url": "/health", "json": {}, "field": "status"}))
    assert report.answers == ("HTTP/1.1 200 OK", "{", '  "status": "ok",', '  "queue": 3', "}")
