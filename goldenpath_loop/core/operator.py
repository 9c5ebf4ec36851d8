"""What only a person with access can do about a service that does not run."""

from __future__ import annotations

from goldenpath_loop.core.deployments import cycle_deployment, service_reports, start_reports
from goldenpath_loop.core.readings import next_finding_id
from goldenpath_loop.core.step import Scene
from goldenpath_loop.records.evidence import Citation
from goldenpath_loop.records.findings import Finding, OperatorAction, Refuter, WhyLink
from goldenpath_loop.records.services import ProbeReport, StartReport

__all__ = ["operator_finding"]


def operator_finding(scene: Scene, service: str) -> Finding | None:
    """The action for `service`, with the chain from its silence to the missing setting where there is one."""
    start = next((one for one in start_reports(scene) if one.service == service and not one.started), None)
    report = service_reports(scene, cycle_deployment(scene)).get(service)
    probes = report.reports if report else ()
    silent = next((one for one in probes if not one.answered and one.kind != "setting"), None)
    missing = next((one for one in probes if not one.answered and one.kind == "setting"), None)
    citations = [one for one in (_of_probe(silent), _of_log(start), _of_probe(missing)) if one is not None]
    if not citations:
        return None
    instruction, setting = _instruction(scene, service, start, missing)
    return Finding(
        id=next_finding_id(scene.state),
        kind="operator_action",
        title=f"{service} does not run" + (f": {setting} is not set" if setting else ""),
        statement=start.summary if start else silent.summary if silent else instruction,
        citations=tuple(citations),
        chain=_chain(service, silent, start, missing),
        action=OperatorAction(instruction=instruction, service=service, setting=setting),
    )


def _instruction(
    scene: Scene, service: str, start: StartReport | None, missing: ProbeReport | None
) -> tuple[str, str]:
    if missing is not None:
        where = scene.policy.deploy.env_file
        place = f" in {where}" if where else " in its environment"
        return f"Set {missing.probe}{place} for service {service}, then run the loop again.", missing.probe
    said = f": {start.quote.strip()}" if start and start.quote else ""
    reason = start.summary if start else "it does not answer"
    return f"Make service {service} run ({reason}{said}), then run the loop again.", ""


def _of_probe(probe: ProbeReport | None) -> Citation | None:
    if probe is None or probe.evidence is None or not probe.quote:
        return None
    return Citation(evidence=probe.evidence, quote=probe.quote)


def _of_log(start: StartReport | None) -> Citation | None:
    if start is None or start.log is None or not start.quote:
        return None
    return Citation(evidence=start.log, quote=start.quote)


def _chain(
    service: str, silent: ProbeReport | None, start: StartReport | None, missing: ProbeReport | None
) -> tuple[WhyLink, ...]:
    silence, log, setting = _of_probe(silent), _of_log(start), _of_probe(missing)
    links: list[WhyLink] = []
    stopped = f"{service} {start.summary}" if start else ""
    if silent and silence and start and log:
        refuter = Refuter(looked_for=f"an answer of {service} on any configured probe", found=False)
        links.append(
            WhyLink(
                kind="configuration",
                effect=f"{service} does not answer: {silent.summary}",
                cause=f"{stopped}; it says: {start.quote.strip()}",
                effect_citation=silence,
                cause_citation=log,
                refuter=refuter,
            )
        )
    if missing and setting and start and log:
        refuter = Refuter(
            looked_for=f"a value of {missing.probe} in the environment, the settings file or the configuration",
            found=False,
            citation=setting,
        )
        links.append(
            WhyLink(
                kind="configuration",
                effect=f"{stopped}; it says: {start.quote.strip()}",
                cause=f"{missing.probe} is not set for {service}",
                effect_citation=log,
                cause_citation=setting,
                refuter=refuter,
            )
        )
    return tuple(links)
