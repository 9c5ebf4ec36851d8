"""Deployments made of processes of our own: every service runs from a worktree, in its own process group."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import anyio
from anyio.abc import TaskGroup

from goldenpath_loop.deploy.host import (
    Deployment,
    Outcome,
    Start,
    host,
    log_of,
    lost_its_port,
    remove,
    wait_for,
)
from goldenpath_loop.deploy.last_words import last_words
from goldenpath_loop.deploy.ports import free_ports
from goldenpath_loop.deploy.readiness import doorbell_of
from goldenpath_loop.deploy.variables import deployed_urls, expand, service_environment, variables_of
from goldenpath_loop.errors import DeployError, InternalError, PutOffError
from goldenpath_loop.records.base import EvidenceId
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.receipts import DeployReceipt
from goldenpath_loop.records.services import StartReport
from goldenpath_loop.records.target import ServiceSpec
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.system.clock import now
from goldenpath_loop.system.environment import own_environment, with_extra
from goldenpath_loop.system.process import Command

__all__ = ["ProcessDeployments"]

_PORT_TRIES = 3


class ProcessDeployments:
    """The deployments of one run, by name; none outlives the `async with` block.

    Args:
        services: Services of the target; those without a `start` command are used where their `url` says.
        settings: Extra environment of every service, on top of this process's own.
        python: Interpreter for `{python}`.
        folder: Where services write their logs while they run. The logs there are raw: they are removed
            when a deployment stops, and what should last must be captured before.
        ready_timeout_s: How long a service may take until it answers.
    """

    def __init__(
        self,
        *,
        services: tuple[ServiceSpec, ...],
        settings: Mapping[str, str],
        python: str,
        folder: Path,
        ready_timeout_s: float,
    ) -> None:
        self._services = services
        self._settings = dict(settings)
        self._python = python
        self._folder = folder
        self._ready_timeout_s = ready_timeout_s
        self._deployments: dict[str, Deployment] = {}
        self._locks: dict[str, anyio.Lock] = {}
        self._group: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        group = self._open_group()
        group.cancel_scope.cancel()
        try:
            # An error of the block's own goes on as it is; the group would wrap it.
            own = isinstance(failure, Exception)
            swallowed = await group.__aexit__(*((None, None, None) if own else (kind, failure, trace)))
            return None if own else swallowed
        finally:
            self._group = None
            for deployment in self._deployments.values():
                remove(deployment.folder)
            self._deployments.clear()

    def _open_group(self) -> TaskGroup:
        if self._group is None:
            raise InternalError("process deployments are used outside of their `async with` block")
        return self._group

    async def start(
        self,
        name: str,
        *,
        tree: Path,
        revision: str,
        preview: bool,
        witness: Witness,
        extra: Mapping[str, str] | None = None,
    ) -> DeployReceipt:
        """Bring `tree` up under `name` and wait until its services answer, or do not.

        A deployment that already runs under this name from the same tree at the same revision is left
        alone and its receipt returned again; any other is stopped first. Services that fail do not stop
        the others. Cancelling ends everything that was started.

        Args:
            name: Name of the deployment, unique in the run.
            tree: A worktree of `revision`.
            revision: What `tree` holds.
            preview: Whether fixed ports are left to the real deployment and free ones taken.
            witness: Where the logs of services that do not start go.
            extra: More variables for every service; a `PYTHONPATH` among them goes behind its own.

        Raises:
            ConfigurationError: A service is described in a way that cannot be started.
            DeployError: The machine has no free port.
            PutOffError: The run comes to rest.
        """
        async with self._locks.setdefault(name, anyio.Lock()):
            standing = self._deployments.get(name)
            if standing is not None:
                same = (standing.tree, standing.revision, standing.preview) == (tree, revision, preview)
                if same and standing.is_running and standing.receipt is not None:
                    return standing.receipt
                await self._end(name)
            try:
                return await self._start(name, tree, revision, preview, witness, extra or {})
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await self._end(name)
                raise

    async def stop(self, name: str) -> None:
        """End every process of a deployment and remove its raw logs; one that is not there is no error."""
        async with self._locks.setdefault(name, anyio.Lock()):
            await self._end(name)

    def urls(self, name: str) -> dict[str, str]:
        """Service name to base address.

        Raises:
            DeployError: There is no such deployment.
        """
        return dict(self._named(name).urls)

    def variables(self, name: str) -> dict[str, str]:
        """What placeholders stand for in this deployment.

        Raises:
            DeployError: There is no such deployment.
        """
        return dict(self._named(name).variables)

    def is_running(self, name: str) -> bool:
        """Whether the deployment is there and each of its services has a living process."""
        return name in self._deployments and self._deployments[name].is_running

    async def logs(self, name: str, witness: Witness) -> None:
        """Store what each service of a deployment has printed so far; silent ones are left out.

        Raises:
            DeployError: There is no such deployment.
        """
        deployment = self._named(name)
        for start in deployment.starts:
            program = deployment.programs.get(start.service.name)
            if program is not None and program.tail(1):
                await self._capture_log(deployment, start, witness)

    def _named(self, name: str) -> Deployment:
        if name not in self._deployments:
            raise DeployError("there is no such deployment", where=name)
        return self._deployments[name]

    async def _start(
        self,
        name: str,
        tree: Path,
        revision: str,
        preview: bool,
        witness: Witness,
        extra: Mapping[str, str],
    ) -> DeployReceipt:
        for tries_left in reversed(range(_PORT_TRIES)):
            deployment = self._describe(name, tree, revision, preview, extra)
            self._deployments[name] = deployment
            # Not `TaskGroup.start`: when cancelled, that cancels the task natively, past every shield, and a
            # process may be lost between its fork and our knowing about it.
            self._open_group().start_soon(host, deployment)
            await deployment.launched.wait()
            if deployment.is_put_off:
                raise PutOffError(where=name)
            if deployment.failure:
                raise DeployError(deployment.failure, where=name)
            outcomes: dict[str, Outcome] = {}
            async with anyio.create_task_group() as group:
                for start in deployment.starts:
                    group.start_soon(self._watch, deployment, start, outcomes, witness)
            if tries_left and any(
                lost_its_port(deployment, start, outcomes[start.service.name]) for start in deployment.starts
            ):
                witness.progress(f"{name}: a port was taken in the meantime, trying others")
                await self._end(name)
                continue
            break
        reports = [
            await self._report(deployment, start, outcomes[start.service.name], witness)
            for start in deployment.starts
        ]
        deployment.receipt = DeployReceipt(deployment=name, revision=revision, starts=tuple(reports))
        return deployment.receipt

    def _describe(
        self, name: str, tree: Path, revision: str, preview: bool, extra: Mapping[str, str]
    ) -> Deployment:
        ours = [service for service in self._services if service.start]
        promised = {port for other in self._deployments.values() for port in other.ports.values()}
        fixed = {service.port for service in ours if service.port}
        free = iter(free_ports(len(ours), avoid=promised | fixed))
        ports = {s.name: s.port if s.port and not preview else next(free) for s in ours}
        base = own_environment(self._settings)
        urls = deployed_urls(self._services, ports, base)
        shared = {"python": self._python, "worktree": str(tree)}
        folder = self._folder / quote(name, safe="")
        starts = []
        for service in ours:
            variables = variables_of(urls, ports, **shared, settings=base, service=service.name)
            variables["revision"] = revision
            where = f"services.{service.name}.start"
            command = Command(
                argv=tuple(expand(word, variables, where=where) for word in service.start),
                cwd=tree,
                env=with_extra(
                    service_environment(service, base=base, variables=variables, tree=str(tree)), extra
                ),
            )
            url, port = urls[service.name], ports[service.name]
            bell = doorbell_of(service, url=url, port=port, variables=variables)
            starts.append(
                Start(
                    service,
                    url,
                    has_fixed_port=bool(service.port) and not preview,
                    command=command,
                    log=folder / f"{quote(service.name, safe='')}.log",
                    bell=bell,
                )
            )
        variables = variables_of(urls, ports, **shared, settings=base) | {"revision": revision}
        return Deployment(name, tree, revision, preview, folder, urls, ports, variables, tuple(starts))

    async def _watch(
        self, deployment: Deployment, start: Start, outcomes: dict[str, Outcome], witness: Witness
    ) -> None:
        name = start.service.name
        program = deployment.programs.get(name)
        if program is None:
            outcomes[name] = Outcome(
                started=False, summary=deployment.problems.get(name, "was ended before it was started")
            )
        else:
            outcomes[name] = await wait_for(program, start.bell, timeout_s=self._ready_timeout_s)
        witness.progress(f"{deployment.name}: {name} {outcomes[name].summary}")

    async def _report(
        self, deployment: Deployment, start: Start, outcome: Outcome, witness: Witness
    ) -> StartReport:
        name = start.service.name
        program = deployment.programs.get(name)
        said: EvidenceId | None = None
        words = ""
        if not outcome.started and program is not None:
            said, text = await self._capture_log(deployment, start, witness)
            words = last_words(text)
        return StartReport(
            service=name,
            started=outcome.started,
            url=start.url,
            summary=outcome.summary,
            exit_code=program.exit_code if program is not None else None,
            quote=words,
            log=said,
        )

    async def _capture_log(
        self, deployment: Deployment, start: Start, witness: Witness
    ) -> tuple[EvidenceId, str]:
        program = deployment.programs[start.service.name]
        text = log_of(program)
        obtained = Obtained(
            # As configured: the words that were really used may hold secrets.
            how=shlex.join(start.service.start),
            started_at=program.started_at,
            duration_s=max(0.0, (now() - program.started_at).total_seconds()),
            exit_code=program.exit_code,
        )
        subject = f"log of {start.service.name} in {deployment.name}"
        return await witness.capture("service_log", text.encode(), subject=subject, obtained=obtained), text

    async def _end(self, name: str) -> None:
        deployment = self._deployments.get(name)
        if deployment is None:
            return
        deployment.scope.cancel()
        # Bounded by the grace a program gets before it is killed.
        with anyio.CancelScope(shield=True):
            await deployment.ended.wait()
        remove(deployment.folder)
        del self._deployments[name]
