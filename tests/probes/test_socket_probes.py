"""Names, ports, certificates and required settings."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import anyio
import pytest
import trustme

from goldenpath_loop.errors import ConfigurationError
from goldenpath_loop.probes.service import probe_service
from goldenpath_loop.records.services import ProbeReport, ServiceReport
from goldenpath_loop.records.target import ProbeSpec, ServiceSpec

from .conftest import RecordingWitness
from .servers import closed_port, http_server, json_answer, silent_server

pytestmark = pytest.mark.anyio


async def ask(spec: ProbeSpec, url: str, witness: RecordingWitness) -> ProbeReport:
    service = ServiceSpec(name="auth", probes=(spec,))
    report = await probe_service(service, urls={"auth": url}, settings={}, witness=witness)
    (one,) = report.reports
    assert one.quote and one.quote in witness.named(one.evidence).text.split("\n")
    assert witness.captured[0].kind == "socket_check"
    return one


def server_context(authority: trustme.CA, not_after: datetime.datetime | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", not_after=not_after).configure_cert(context)
    return context


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that this test trusts, the way a person would say so."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return authority


TCP = ProbeSpec(name="port", kind="tcp", timeout_s=5)
TLS = ProbeSpec(name="certificate", kind="tls", timeout_s=5)
DNS = ProbeSpec(name="name", kind="dns", timeout_s=20)


async def test_a_port_that_takes_connections_answers(witness: RecordingWitness) -> None:
    async with silent_server() as url:
        report = await ask(TCP, url, witness)
    assert report.answered


async def test_a_closed_port_does_not(witness: RecordingWitness) -> None:
    report = await ask(TCP, f"http://127.0.0.1:{closed_port()}", witness)
    assert not report.answered
    assert report.summary == "no connection: connection refused"


async def test_a_verified_certificate_answers_with_its_end(
    witness: RecordingWitness, authority: trustme.CA
) -> None:
    async with http_server(b"", tls=server_context(authority)) as (url, _):
        report = await ask(TLS, url, witness)
    assert report.answered
    assert "valid until" in report.summary
    assert report.quote.startswith("valid until: ")
    assert "names: 127.0.0.1" in witness.captured[0].text.split("\n")


async def test_a_certificate_that_ends_soon_is_said(witness: RecordingWitness, authority: trustme.CA) -> None:
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3, hours=1)
    async with http_server(b"", tls=server_context(authority, soon)) as (url, _):
        report = await ask(TLS, url, witness)
    assert report.answered
    assert report.summary.endswith("expires in 3 days")


async def test_an_expired_certificate_does_not_answer(
    witness: RecordingWitness, authority: trustme.CA
) -> None:
    past = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    async with http_server(b"", tls=server_context(authority, past)) as (url, _):
        report = await ask(TLS, url, witness)
    assert not report.answered
    assert "certificate has expired" in report.summary


async def test_a_certificate_nobody_vouches_for_does_not_answer(witness: RecordingWitness) -> None:
    async with http_server(b"", tls=server_context(trustme.CA())) as (url, _):
        report = await ask(TLS, url, witness)
    assert not report.answered
    assert report.summary.startswith("no TLS: certificate not accepted")


async def test_a_port_without_tls_does_not_answer(witness: RecordingWitness) -> None:
    async with http_server(b"hello\r\n\r\n") as (url, _):
        report = await ask(TLS.model_copy(update={"timeout_s": 0.5}), url, witness)
    assert not report.answered


async def test_http_over_tls_trusts_the_same_authorities(
    witness: RecordingWitness, authority: trustme.CA
) -> None:
    async with http_server(json_answer({"status": "ok"}), tls=server_context(authority)) as (url, _):
        service = ServiceSpec(name="auth", probes=(ProbeSpec(name="health", kind="http"),))
        report = await probe_service(service, urls={"auth": url}, settings={}, witness=witness)
    assert report.is_healthy


async def test_a_known_name_answers_with_its_addresses(witness: RecordingWitness) -> None:
    report = await ask(DNS, "http://localhost", witness)
    assert report.answered
    assert "127.0.0.1" in witness.captured[0].text


async def test_an_unknown_name_does_not(witness: RecordingWitness) -> None:
    report = await ask(DNS, "http://nonexistent.invalid", witness)
    assert not report.answered
    assert report.quote.startswith("nonexistent.invalid: name not ")


async def settings_of(
    service: ServiceSpec, settings: dict[str, str], witness: RecordingWitness
) -> ServiceReport:
    return await probe_service(service, urls={}, settings=settings, witness=witness)


async def test_required_settings_are_named_and_their_values_never_told(witness: RecordingWitness) -> None:
    service = ServiceSpec(name="auth", required_settings=("A_SECRET", "B_SECRET", "C_SECRET"))
    report = await settings_of(service, {"A_SECRET": "hunter22", "B_SECRET": " "}, witness)
    assert [(one.probe, one.kind, one.answered) for one in report.reports] == [
        ("A_SECRET", "setting", True),
        ("B_SECRET", "setting", False),
        ("C_SECRET", "setting", False),
    ]
    (evidence,) = witness.captured
    assert evidence.kind == "setting"
    assert evidence.text == "A_SECRET: set\nB_SECRET: empty\nC_SECRET: not set\n"
    assert [one.quote for one in report.reports] == evidence.text.split("\n")[:3]
    assert "hunter22" not in report.model_dump_json()


async def test_the_services_own_environment_counts(witness: RecordingWitness) -> None:
    service = ServiceSpec(
        name="auth",
        required_settings=("SECRET", "HOME_OF"),
        env={"SECRET": "{env.STAGING_SECRET}", "HOME_OF": "{worktree}/data", "PORT": "{port}"},
    )
    report = await settings_of(service, {"STAGING_SECRET": "x"}, witness)
    assert report.is_healthy


async def test_a_required_setting_made_of_a_missing_one_is_empty(witness: RecordingWitness) -> None:
    service = ServiceSpec(name="auth", required_settings=("SECRET",), env={"SECRET": "{env.SECRET}"})
    report = await settings_of(service, {}, witness)
    assert report.reports[0].quote == "SECRET: empty"


async def test_all_probes_of_a_service_are_asked_at_once(witness: RecordingWitness) -> None:
    slow = tuple(ProbeSpec(name=f"slow{n}", kind="http", timeout_s=0.5) for n in range(6))
    async with silent_server() as url:
        service = ServiceSpec(name="auth", probes=(*slow, TCP))
        with anyio.fail_after(2):
            report = await probe_service(service, urls={"auth": url}, settings={}, witness=witness)
    assert [one.probe for one in report.reports] == [*(one.name for one in slow), "port"]
    assert [one.evidence for one in report.reports] == [f"E{n}" for n in range(1, 8)]


@pytest.mark.parametrize(
    "probe",
    [
        ProbeSpec(name="p", kind="http", path="/{services.nobody.url}"),
        ProbeSpec(name="p", kind="http", path="http://[broken"),
        ProbeSpec(name="p", kind="http", path="ftp://127.0.0.1/x"),
        ProbeSpec(name="p", kind="http", method="GET /x"),
        ProbeSpec(name="p", kind="http", headers={"X-A": "one\r\nX-B: two"}),
        ProbeSpec(name="p", kind="http", headers={"no good": "x"}),
        ProbeSpec(name="p", kind="websocket", subprotocols=("chat, v1",)),
    ],
)
async def test_a_probe_nobody_could_ask_is_a_mistake_of_the_configuration(
    witness: RecordingWitness, probe: ProbeSpec
) -> None:
    service = ServiceSpec(name="auth", probes=(probe,))
    with pytest.raises(ConfigurationError) as caught:
        await probe_service(service, urls={"auth": "http://127.0.0.1:1"}, settings={}, witness=witness)
    assert caught.value.where.startswith("services.auth.probes.p")
    assert witness.captured == []


async def test_a_service_without_an_address_is_a_mistake_of_the_configuration(
    witness: RecordingWitness,
) -> None:
    service = ServiceSpec(name="auth", probes=(TCP,))
    with pytest.raises(ConfigurationError, match="no address"):
        await probe_service(service, urls={}, settings={}, witness=witness)
