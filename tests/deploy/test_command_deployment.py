"""A team's own deploy script, and the wait for the revision it deployed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from goldenpath_loop.deploy.command import deploy_by_command
from goldenpath_loop.deploy.process import ProcessDeployments
from goldenpath_loop.errors import ConfigurationError
from goldenpath_loop.records.receipts import DeployReceipt
from goldenpath_loop.records.target import DeploySpec, ProbeSpec, ServiceSpec
from goldenpath_loop.system.http import exchange

from .conftest import RecordingWitness
from .trees import is_alive

pytestmark = pytest.mark.anyio

OLD, NEW = "1" * 40, "2" * 40

# Serves what the file `served` says; asked for its health once after `deployed` appeared, it follows.
_STAGING = """
import http.server, json, os, pathlib

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answer = json.dumps({"build": {"revision": pathlib.Path("served").read_text()}}).encode()
        if pathlib.Path("deployed").exists():
            os.replace("deployed", "served")
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Health).serve_forever()
"""

STAGING = ServiceSpec(
    name="auth",
    start=("{python}", "staging.py"),
    env={"PORT": "{port}"},
    revision="build.revision",
    probes=(ProbeSpec(name="health", kind="http", path="/health"),),
)
SILENT = ServiceSpec(name="queue", url="http://127.0.0.1:9")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "staging.py").write_text(_STAGING)
    (tree / "served").write_text(OLD)
    (tree / "deploy.py").write_text(
        "import os, pathlib, sys\n"
        "print('deploying', *sys.argv[1:])\n"
        "print('as', os.environ['DEPLOYER'])\n"
        "pathlib.Path('deployed').write_text(sys.argv[1])\n"
    )
    return tree


async def deploy(
    tree: Path, url: str, witness: RecordingWitness, *command: str, ready_timeout_s: float = 20
) -> DeployReceipt:
    return await deploy_by_command(
        DeploySpec(adapter="command", command=command, ready_timeout_s=ready_timeout_s),
        name="staging",
        revision=NEW,
        branch="main",
        services=(STAGING, SILENT),
        urls={"auth": url, "queue": SILENT.url},
        settings={"DEPLOYER": "loop"},
        python=sys.executable,
        tree=tree,
        witness=witness,
    )


class Staging:
    """The standing system that the script changes."""

    def __init__(self, tmp_path: Path, tree: Path) -> None:
        self.tree = tree
        self.machine = ProcessDeployments(
            services=(STAGING,),
            settings={},
            python=sys.executable,
            folder=tmp_path / "logs",
            ready_timeout_s=20,
        )

    async def __aenter__(self) -> str:
        await self.machine.__aenter__()
        await self.machine.start(
            "standing", tree=self.tree, revision=OLD, preview=True, witness=RecordingWitness()
        )
        return self.machine.urls("standing")["auth"]

    async def __aexit__(self, *failure: object) -> None:
        await self.machine.__aexit__(None, None, None)


async def test_a_stale_answer_is_waited_out_until_the_revision_is_served(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    async with Staging(tmp_path, tree) as url:
        receipt = await deploy(tree, url, witness, "{python}", "deploy.py", "{revision}", "{branch}")
        served = (await exchange("GET", url)).document
    assert served == {"build": {"revision": NEW}}
    assert receipt.problem == ""
    (auth,) = receipt.starts
    assert auth.started
    assert auth.summary.startswith(f"serves {NEW[:12]} after ")
    output = witness.named(receipt.output)
    assert output.kind == "command_output"
    assert output.text == f"deploying {NEW} main\nas loop\n"
    assert output.obtained.how == "'{python}' deploy.py '{revision}' '{branch}'"
    assert output.obtained.exit_code == 0


async def test_what_is_served_already_is_not_deployed_again(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    (tree / "served").write_text(NEW)
    async with Staging(tmp_path, tree) as url:
        receipt = await deploy(tree, url, witness, "{python}", "deploy.py", "{revision}", "{branch}")
    assert not (tree / "deployed").exists()
    assert receipt.problem == ""
    assert [(start.service, start.started) for start in receipt.starts] == [("auth", True)]
    assert receipt.starts[0].summary == f"serves {NEW[:12]} already"


async def test_a_script_that_changes_nothing_is_seen_by_what_is_still_served(
    tmp_path: Path, tree: Path, witness: RecordingWitness
) -> None:
    async with Staging(tmp_path, tree) as url:
        receipt = await deploy(tree, url, witness, "{python}", "-c", "print('done')", ready_timeout_s=0.6)
    (auth,) = receipt.starts
    assert not auth.started
    assert auth.summary == f"still serves {OLD[:12]} after 0.6 s, not {NEW[:12]}"
    assert receipt.problem == "the deploy script ended well, but auth did not follow"


async def test_a_script_that_fails_is_quoted_and_nothing_is_waited_for(
    tree: Path, witness: RecordingWitness
) -> None:
    script = "import sys; print('building'); sys.exit('quota exceeded')"
    with anyio.fail_after(10):
        receipt = await deploy(tree, "http://127.0.0.1:9", witness, "{python}", "-c", script)
    assert receipt.problem == "the deploy script exited with 1: quota exceeded"
    assert receipt.starts == ()
    assert witness.named(receipt.output).obtained.exit_code == 1


async def test_a_script_that_is_not_there_is_a_problem(tree: Path, witness: RecordingWitness) -> None:
    receipt = await deploy(tree, "http://127.0.0.1:9", witness, "./no-such-script", "{revision}")
    assert receipt.problem.startswith("the deploy script could not be started")
    assert receipt.output is None


async def test_an_unknown_placeholder_is_a_mistake_before_anything_runs(
    tree: Path, witness: RecordingWitness
) -> None:
    with pytest.raises(ConfigurationError, match="revison") as caught:
        await deploy(tree, "http://127.0.0.1:9", witness, "{python}", "deploy.py", "{revison}")
    assert "{revision}" in caught.value.advice
    assert not (tree / "deployed").exists()


async def test_cancelling_ends_the_script(tree: Path, witness: RecordingWitness) -> None:
    script = "import json, os, threading; json.dump(os.getpid(), open('pid', 'w')); threading.Event().wait()"
    noted = tree / "pid"
    async with anyio.create_task_group() as group:
        group.start_soon(deploy, tree, "http://127.0.0.1:9", witness, "{python}", "-c", script)
        with anyio.fail_after(20):
            while not (noted.exists() and noted.read_text()):
                await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    assert not is_alive(json.loads(noted.read_text()))
