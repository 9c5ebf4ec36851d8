"""All questions to one service, asked at once, stored as evidence and put into one report."""

from __future__ import annotations

from collections.abc import Mapping

import anyio

from goldenpath_loop.config.variables import expand, variables_of
from goldenpath_loop.errors import ConfigurationError
from goldenpath_loop.probes.answer import Answer, Seen
from goldenpath_loop.probes.handshake_question import ask_handshake
from goldenpath_loop.probes.http_question import ask_http
from goldenpath_loop.probes.question import Question, prepare
from goldenpath_loop.probes.settings_answer import see_settings
from goldenpath_loop.probes.socket_question import ask_socket
from goldenpath_loop.records.base import EvidenceId
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.services import ProbeReport, ServiceReport
from goldenpath_loop.records.target import ServiceSpec
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.system.clock import now

__all__ = ["probe_service"]


async def _ask(question: Question, *, revision: str) -> Seen:
    match question.spec.kind:
        case "http":
            return await ask_http(question, revision=revision)
        case "websocket":
            return await ask_handshake(question)
        case "tcp" | "tls" | "dns":
            return await ask_socket(question)


async def _capture(seen: Seen, subject: str, witness: Witness) -> EvidenceId:
    obtained = Obtained(
        how=seen.how,
        started_at=seen.started_at,
        duration_s=seen.duration_s,
        served_revision=seen.answer.revision,
    )
    return await witness.capture(seen.kind, seen.transcript.encode(), subject=subject, obtained=obtained)


def _report(name: str, kind: str, answer: Answer, evidence: EvidenceId) -> ProbeReport:
    return ProbeReport.model_validate(
        {
            "probe": name,
            "kind": kind,
            "answered": answer.answered,
            "summary": answer.summary,
            "status": answer.status,
            "latency_ms": answer.latency_ms,
            "dependencies": answer.dependencies,
            "quote": answer.quote,
            "answers": answer.answers,
            "evidence": evidence,
        }
    )


async def probe_service(
    service: ServiceSpec, *, urls: Mapping[str, str], settings: Mapping[str, str], witness: Witness
) -> ServiceReport:
    """Ask a service everything its configuration asks for.

    A world that does not answer is in the report. Each probe ends within its own `timeout_s`.

    Args:
        service: The service and its probes.
        urls: Service name to base address, for every service of this deployment.
        settings: The complete environment the service runs with, for `{env.NAME}` and required settings;
            the service's own `env` comes on top.
        witness: Where the transcripts go.

    Raises:
        ConfigurationError: A probe is described in a way that nobody could ask.
    """
    variables = variables_of(urls, settings=settings, service=service.name)
    base = urls.get(service.name, "")
    if service.probes and not base:
        raise ConfigurationError(
            "this service has no address to probe",
            where=f"services.{service.name}.url",
            advice="Give it a `url`, or a `start` command for the process adapter.",
        )
    questions = [prepare(service.name, spec, base=base, variables=variables) for spec in service.probes]
    first_http = next((q for q in questions if q.spec.kind == "http"), None)
    outcomes: dict[int, Seen] = {}

    async def ask(number: int, question: Question) -> None:
        outcomes[number] = await _ask(question, revision=service.revision if question is first_http else "")
        witness.progress(f"{service.name}.{question.spec.name}: {outcomes[number].answer.summary}")

    async with anyio.create_task_group() as group:
        for number, question in enumerate(questions):
            group.start_soon(ask, number, question)

    # Stored in the order of the configuration, so that the same answers give the same evidence ids.
    reports, revision = [], None
    for number, question in enumerate(questions):
        seen = outcomes[number]
        evidence = await _capture(seen, question.subject, witness)
        reports.append(_report(question.spec.name, question.spec.kind, seen.answer, evidence))
        if question is first_http:
            revision = seen.answer.revision
    reports += await _settings(service, settings, variables, witness)
    return ServiceReport(service=service.name, reports=tuple(reports), served_revision=revision)


async def _settings(
    service: ServiceSpec, settings: Mapping[str, str], variables: Mapping[str, str], witness: Witness
) -> list[ProbeReport]:
    if not service.required_settings:
        return []
    # Only whether something is there counts: what the deployment alone knows stands for itself.
    known = {"python": "python", "worktree": "worktree", "revision": "revision"}
    known |= {f"env.{name}": "" for name in service.required_settings} | dict(variables)
    where = f"services.{service.name}.env"
    own = {
        name: expand(service.env[name], known, where=f"{where}.{name}")
        for name in service.required_settings
        if name in service.env
    }
    environment = {**settings, **own}
    seen = see_settings(service.required_settings, environment, at=now())
    evidence = await _capture(seen[0][1], f"settings of {service.name}", witness)
    return [_report(name, "setting", one.answer, evidence) for name, one in seen]
