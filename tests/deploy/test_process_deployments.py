"""Deployments of real processes come up, say why they do not, and leave nothing behind."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from goldenpath_loop.deploy.process import ProcessDeployments
from goldenpath_loop.errors import ConfigurationError, DeployError
from goldenpath_loop.records.receipts import DeployReceipt
from goldenpath_loop.records.target import ProbeSpec, ServiceSpec
from goldenpath_loop.system.http import exchange

from .conftest import RecordingWitness
from .trees import is_alive, pids_in, write_tree

pytestmark = pytest.mark.anyio

R1, R2 = "1" * 40, "2" * 40
HEALTH = ProbeSpec(name="health", kind="http", path="/health")


def service(name: str, mode: str = "serve", **changes: Any) -> ServiceSpec:
    env = {"PORT": "{port}", "NAME": name, "MODE": mode, **changes.pop("env", {})}
    return ServiceSpec(
        name=name, start=("{python}", "-m", "small"), env=env, **{"probes": (HEALTH,), **changes}
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "tree")


def deployments(
    tmp_path: Path,
    *services: ServiceSpec,
    ready_timeout_s: float = 20,
    settings: Mapping[str, str] | None = None,
) -> ProcessDeployments:
    return ProcessDeployments(
        services=services,
        settings=settings or {},
        python=sys.executable,
        folder=tmp_path / "logs",
        ready_timeout_s=ready_timeout_s,
    )


async def up(
    machine: ProcessDeployments,
    tree: Path,
    witness: RecordingWitness,
    name: str = "staging",
    revision: str = R1,
    preview: bool = False,
) -> DeployReceipt:
    return await machine.start(name, tree=tree, revision=revision, preview=preview, witness=witness)


async def health(url: str) -> Mapping[str, Any]:
    document = (await exchange("GET", f"{url}/health")).document
    assert isinstance(document, dict)
    return document


async def test_services_come_up_and_know_each_other(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    pair = service("auth", env={"PEER_URL": "{services.backend.url}"}), service("backend")
    async with deployments(tmp_path, *pair, settings={"SECRET": "s3cret"}) as machine:
        receipt = await up(machine, tree, witness)
        assert [(one.service, one.started) for one in receipt.starts] == [("auth", True), ("backend", True)]
        assert receipt.revision == R1
        assert receipt.problem == ""
        assert machine.is_running("staging")
        urls = machine.urls("staging")
        assert [one.url for one in receipt.starts] == [urls["auth"], urls["backend"]]
        said = await health(urls["auth"])
        assert (said["name"], said["peer"], said["secret"]) == ("auth", urls["backend"], "s3cret")
        assert said["cwd"] == str(tree)
        assert said["path"].split(os.pathsep)[:2] == [str(tree), str(tree / "src")]
        variables = machine.variables("staging")
        assert variables["services.auth.url"] == urls["auth"]
        assert urls["auth"].endswith(":" + variables["services.auth.port"])
        assert len(pids_in(tree)) == 2
    assert not any(map(is_alive, pids_in(tree)))


async def test_stopping_leaves_no_process_of_any_generation_and_no_raw_log(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    async with deployments(tmp_path, service("auth", "parent")) as machine:
        await up(machine, tree, witness)
        assert len(pids_in(tree)) == 2
        assert all(map(is_alive, pids_in(tree)))
        await machine.stop("staging")
        assert not any(map(is_alive, pids_in(tree)))
        assert not machine.is_running("staging")
        assert list((tmp_path / "logs").iterdir()) == []
        await machine.stop("staging")
        with pytest.raises(DeployError):
            machine.urls("staging")


async def test_a_service_that_exits_says_why_in_its_own_words_and_the_others_go_on(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    async with deployments(tmp_path, service("auth", "complain"), service("backend")) as machine:
        receipt = await up(machine, tree, witness)
        auth, backend = receipt.starts
        assert not auth.started
        assert auth.exit_code == 78
        assert auth.summary == "exited with 78 before it was ready"
        assert auth.quote == "SECRET is not set"
        evidence = witness.named(auth.log)
        assert evidence.kind == "service_log"
        assert evidence.text == "starting as auth\nSECRET is not set\n"
        assert evidence.obtained.exit_code == 78
        assert backend.started
        assert (await health(backend.url))["name"] == "backend"
        assert not machine.is_running("staging")


async def test_a_traceback_is_quoted_by_its_last_line(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    async with deployments(tmp_path, service("auth", "crash")) as machine:
        (auth,) = (await up(machine, tree, witness)).starts
    assert auth.quote == "ValueError: no such table: users"


async def test_a_service_that_never_answers_is_not_ready_in_the_time_given(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    async with deployments(tmp_path, service("auth", "silent"), ready_timeout_s=1) as machine:
        (auth,) = (await up(machine, tree, witness)).starts
        assert not auth.started
        assert auth.summary == "not ready within 1 s"
        assert auth.exit_code is None
        assert auth.quote == "starting as auth"
    assert not any(map(is_alive, pids_in(tree)))


async def test_a_service_that_keeps_answering_an_error_is_there_for_the_probes_to_judge(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    async with deployments(tmp_path, service("auth", "unwell")) as machine:
        (auth,) = (await up(machine, tree, witness)).starts
    assert auth.started
    assert auth.summary.startswith("answers HTTP 503 after ")


async def test_a_service_without_http_probe_is_ready_when_its_port_takes_connections(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    async with deployments(tmp_path, service("auth", probes=())) as machine:
        (auth,) = (await up(machine, tree, witness)).starts
    assert auth.started


async def test_a_program_that_does_not_exist_is_a_report(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    broken = ServiceSpec(name="auth", start=("no-such-program-anywhere",), probes=(HEALTH,))
    async with deployments(tmp_path, broken, service("backend")) as machine:
        auth, backend = (await up(machine, tree, witness)).starts
    assert not auth.started
    assert "no-such-program-anywhere" in auth.summary
    assert backend.started


async def test_a_fixed_port_that_is_taken_is_said_and_nothing_is_started(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        async with deployments(tmp_path, service("auth", port=port)) as machine:
            (auth,) = (await up(machine, tree, witness)).starts
    assert not auth.started
    assert auth.summary.startswith(f"port {port} is taken")
    if sys.platform == "linux":
        assert f"by pid {os.getpid()} (" in auth.summary
    assert pids_in(tree) == []


async def test_a_preview_leaves_the_fixed_port_to_the_deployment(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with deployments(tmp_path, service("auth", port=port)) as machine:
        await up(machine, tree, witness)
        await up(machine, tree, witness, "preview", R2, preview=True)
        assert machine.urls("staging")["auth"] == f"http://127.0.0.1:{port}"
        assert machine.urls("preview")["auth"] != machine.urls("staging")["auth"]
        assert machine.is_running("staging")
        assert machine.is_running("preview")


async def test_previews_come_up_at_the_same_time_on_ports_of_their_own(
    tmp_path: Path, witness: RecordingWitness
) -> None:
    trees = [write_tree(tmp_path / f"tree{n}") for n in range(3)]
    async with deployments(tmp_path, service("auth"), service("backend")) as machine:
        async with anyio.create_task_group() as group:
            for n, tree in enumerate(trees):
                group.start_soon(up, machine, tree, witness, f"preview/{n}", R1, True)
        urls = [url for n in range(3) for url in machine.urls(f"preview/{n}").values()]
        assert len(set(urls)) == 6
        for n, tree in enumerate(trees):
            assert (await health(machine.urls(f"preview/{n}")["auth"]))["cwd"] == str(tree)
    assert not any(is_alive(pid) for tree in trees for pid in pids_in(tree))


async def test_starting_what_already_runs_gives_the_same_receipt(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    async with deployments(tmp_path, service("auth")) as machine:
        first = await up(machine, tree, witness)
        assert await up(machine, tree, witness) is first
        assert len(pids_in(tree)) == 1


async def test_another_revision_under_the_same_name_replaces_the_first(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    async with deployments(tmp_path, service("auth")) as machine:
        await up(machine, tree, witness)
        receipt = await up(machine, tree, witness, revision=R2)
        assert receipt.revision == R2
        old, new = pids_in(tree)
        assert not is_alive(old)
        assert is_alive(new)


async def test_a_deployment_whose_service_died_is_not_running_and_is_started_again(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    async with deployments(tmp_path, service("auth")) as machine:
        first = await up(machine, tree, witness)
        os.kill(pids_in(tree)[0], 9)
        with anyio.fail_after(10):
            while machine.is_running("staging"):
                await anyio.lowlevel.checkpoint()
        second = await up(machine, tree, witness)
        assert second is not first
        assert second.starts[0].started


async def test_a_free_port_that_was_lost_is_tried_again_with_another(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    async with deployments(tmp_path, service("auth", "lose_port_once")) as machine:
        (auth,) = (await up(machine, tree, witness, preview=True)).starts
    assert auth.started
    assert len(pids_in(tree)) == 2


async def test_cancelling_in_the_middle_of_a_start_leaves_nothing(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    async with deployments(tmp_path, service("auth", "silent"), service("backend", "parent")) as machine:
        async with anyio.create_task_group() as group:
            group.start_soon(up, machine, tree, witness)
            with anyio.fail_after(20):
                while len(pids_in(tree)) < 3:
                    await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        assert not any(map(is_alive, pids_in(tree)))
        with pytest.raises(DeployError):
            machine.urls("staging")


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21, 34, 55])
async def test_cancelling_at_any_early_moment_leaves_nothing_and_does_not_hang(
    tmp_path: Path, tree: Path, witness: RecordingWitness, steps: int
) -> None:
    with anyio.fail_after(20):
        async with (
            deployments(tmp_path, service("auth", "silent")) as machine,
            anyio.create_task_group() as group,
        ):
            group.start_soon(up, machine, tree, witness)
            for _ in range(steps):
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
    assert not any(map(is_alive, pids_in(tree)))


async def test_cancelling_the_whole_block_leaves_nothing(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    with anyio.CancelScope() as scope:
        async with deployments(tmp_path, service("auth", "parent")) as machine:
            await up(machine, tree, witness)
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert len(pids_in(tree)) == 2
    assert not any(map(is_alive, pids_in(tree)))


async def test_an_error_in_the_block_goes_on_as_it_is_and_leaves_nothing(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    with pytest.raises(KeyError):
        async with deployments(tmp_path, service("auth")) as machine:
            await up(machine, tree, witness)
            raise KeyError("mine")
    assert not any(map(is_alive, pids_in(tree)))


async def test_a_service_that_ignores_the_request_to_end_is_ended_all_the_same(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    async with deployments(tmp_path, service("auth", "stubborn"), service("backend", "stubborn")) as machine:
        await up(machine, tree, witness)
    assert not any(map(is_alive, pids_in(tree)))


async def test_logs_are_stored_on_request(tmp_path: Path, tree: Path, witness: RecordingWitness) -> None:
    async with deployments(tmp_path, service("auth")) as machine:
        await up(machine, tree, witness)
        await machine.logs("staging", witness)
    (log,) = witness.captured
    assert log.kind == "service_log"
    assert log.subject == "log of auth in staging"
    assert log.text.startswith("starting as auth\n")


async def test_a_missing_required_setting_does_not_prevent_the_start(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    needy = service("auth", required_settings=("SECRET",), env={"SECRET": "{env.SECRET}"})
    async with deployments(tmp_path, needy) as machine:
        (auth,) = (await up(machine, tree, witness)).starts
        assert auth.started
        assert (await health(auth.url))["secret"] == ""


async def test_an_unknown_placeholder_is_a_mistake_of_the_configuration(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    wrong = service("auth", env={"PEER_URL": "{services.backed.url}"}), service("backend")
    async with deployments(tmp_path, *wrong) as machine:
        with pytest.raises(ConfigurationError, match=r"services\.backed\.url") as caught:
            await up(machine, tree, witness)
    assert caught.value.where == "services.auth.env.PEER_URL"
    assert "{services.backend.url}" in caught.value.advice
    assert pids_in(tree) == []


async def test_a_service_without_a_start_command_is_used_where_it_is(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    elsewhere = ServiceSpec(name="billing", url="https://billing.staging.example")
    async with deployments(tmp_path, service("auth"), elsewhere) as machine:
        receipt = await up(machine, tree, witness)
        assert [one.service for one in receipt.starts] == ["auth"]
        assert machine.urls("staging")["billing"] == "https://billing.staging.example"
