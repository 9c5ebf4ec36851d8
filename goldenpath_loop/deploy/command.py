"""Deploys by the team's own script, unless the services say that they serve the revision; waits until they do."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import anyio

from goldenpath_loop.deploy.last_words import ending, last_words, log_text
from goldenpath_loop.deploy.readiness import Doorbell, doorbell_of
from goldenpath_loop.deploy.variables import expand, port_of, variables_of
from goldenpath_loop.errors import ConfigurationError, ProcessError
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.receipts import DeployReceipt
from goldenpath_loop.records.services import StartReport
from goldenpath_loop.records.target import DeploySpec, ServiceSpec
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.system.clock import monotonic_s
from goldenpath_loop.system.environment import own_environment
from goldenpath_loop.system.http import exchange
from goldenpath_loop.system.plain import plain_line
from goldenpath_loop.system.process import Command, run

__all__ = ["deploy_by_command"]

_POLL_S = 0.25
_SHOWN = 12


async def deploy_by_command(
    spec: DeploySpec,
    *,
    name: str,
    revision: str,
    branch: str,
    services: tuple[ServiceSpec, ...],
    urls: Mapping[str, str],
    settings: Mapping[str, str],
    python: str,
    tree: Path,
    witness: Witness,
    script_timeout_s: float = 1800.0,
) -> DeployReceipt:
    """Run the deploy script and wait until what it deployed is served.

    When every service that names its revision names this one, somebody deployed it already, most likely an engine that
    was killed before it could say so: the script is not run again.

    Args:
        spec: The script (`{revision}`, `{branch}` and the usual placeholders) and `ready_timeout_s`, which
            starts when the script has ended.
        name: Name of the deployment.
        revision: Full commit id that should be served.
        branch: Value of `{branch}`.
        services: Services of the target; those that name their served revision are waited for.
        urls: Service name to base address.
        settings: Extra environment of the script.
        python: Interpreter for `{python}`.
        tree: Working directory of the script.
        witness: Where the script's output goes.
        script_timeout_s: How long the script may run.

    Raises:
        ConfigurationError: A placeholder stands for nothing.
    """
    environment = own_environment(settings)
    variables = variables_of(urls, python=python, worktree=str(tree), settings=environment)
    variables |= {"revision": revision, "branch": branch}
    argv = tuple(expand(word, variables, where="deploy.command") for word in spec.command)
    bells = {
        service.name: _bell_of(service, urls.get(service.name, ""), variables)
        for service in services
        if service.revision
    }
    receipt = DeployReceipt(deployment=name, revision=revision)
    standing = await _standing(services, bells, urls, revision)
    if standing:
        witness.progress(f"{name}: serves {revision[:_SHOWN]} already")
        return receipt.model_copy(update={"starts": standing})
    witness.progress(f"{name}: {shlex.join(spec.command)}")
    try:
        done = await run(Command(argv, cwd=tree, env=environment, timeout_s=script_timeout_s))
    except ProcessError as failure:
        return receipt.model_copy(
            update={"problem": f"the deploy script could not be started: {failure.message}"}
        )
    text = log_text(done.output)
    output = await witness.capture(
        "command_output",
        text.encode(),
        subject=f"deployment {name}",
        obtained=Obtained(
            # As configured: the words that were really used may hold secrets.
            how=shlex.join(spec.command),
            started_at=done.started_at,
            duration_s=done.duration_s,
            exit_code=done.exit_code,
        ),
    )
    receipt = receipt.model_copy(update={"output": output})
    if done.ended != "exited" or done.exit_code != 0:
        how = f"took more than {script_timeout_s:g} s"
        if done.ended == "exited":
            how = "could not be ended" if done.exit_code is None else ending(done.exit_code)
        return receipt.model_copy(
            update={"problem": f"the deploy script {how}: {plain_line(last_words(text), max_chars=300)}"}
        )
    return await _followed(receipt, services, bells, urls, spec.ready_timeout_s, witness)


async def _followed(
    receipt: DeployReceipt,
    services: tuple[ServiceSpec, ...],
    bells: Mapping[str, Doorbell],
    urls: Mapping[str, str],
    timeout_s: float,
    witness: Witness,
) -> DeployReceipt:
    """The receipt with what became of each service that can be asked, after the script ended well."""
    reports: dict[str, StartReport] = {}

    async def wait_for(service: ServiceSpec) -> None:
        name = service.name
        reports[name] = await _served(service, bells[name], urls[name], receipt.revision, timeout_s)
        witness.progress(f"{receipt.deployment}: {name} {reports[name].summary}")

    async with anyio.create_task_group() as group:
        for service in services:
            if service.name in bells:
                group.start_soon(wait_for, service)
    late = [report.service for report in reports.values() if not report.started]
    problem = f"the deploy script ended well, but {', '.join(sorted(late))} did not follow" if late else ""
    starts = tuple(reports[service.name] for service in services if service.name in reports)
    return receipt.model_copy(update={"starts": starts, "problem": problem})


def _bell_of(service: ServiceSpec, url: str, variables: Mapping[str, str]) -> Doorbell:
    bell = doorbell_of(service, url=url, port=port_of(url) or 0, variables=variables)
    if not url or not bell.url:
        raise ConfigurationError(
            "nobody can be asked for the served revision",
            where=f"services.{service.name}.revision",
            advice="It is read from the service's first http probe; give it one, and an address.",
        )
    return bell


async def _standing(
    services: tuple[ServiceSpec, ...], bells: Mapping[str, Doorbell], urls: Mapping[str, str], revision: str
) -> tuple[StartReport, ...]:
    """Reports of the services that can be asked, if each of them serves `revision` already."""
    served: dict[str, str | None] = {}

    async def ask(service: ServiceSpec) -> None:
        bell = bells[service.name]
        answer = await exchange(bell.method, bell.url, timeout_s=bell.timeout_s)
        served[service.name] = answer.revision(service.revision)

    asked = [service for service in services if service.name in bells]
    async with anyio.create_task_group() as group:
        for service in asked:
            group.start_soon(ask, service)
    if any(served[service.name] != revision for service in asked):
        return ()
    summary = f"serves {revision[:_SHOWN]} already"
    return tuple(
        StartReport(service=service.name, started=True, url=urls[service.name], summary=summary)
        for service in asked
    )


async def _served(
    service: ServiceSpec, bell: Doorbell, url: str, revision: str, timeout_s: float
) -> StartReport:
    """Ask until the service says that it serves `revision`, or the time is over."""
    began = monotonic_s()
    last = "was not asked"
    with anyio.move_on_after(timeout_s):
        while True:
            asked = await exchange(bell.method, bell.url, timeout_s=bell.timeout_s)
            served = asked.revision(service.revision)
            if served == revision:
                summary = f"serves {revision[:_SHOWN]} after {monotonic_s() - began:.1f} s"
                return StartReport(service=service.name, started=True, url=url, summary=summary)
            if served is not None:
                last = f"still serves {served[:_SHOWN]}"
            elif asked.status is not None:
                last = f"answers HTTP {asked.status} and names no revision"
            else:
                last = f"does not answer: {asked.error}"
            await anyio.sleep(_POLL_S)
    summary = f"{last} after {timeout_s:g} s, not {revision[:_SHOWN]}"
    return StartReport(service=service.name, started=False, url=url, summary=summary)
