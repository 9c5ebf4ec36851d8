"""Every effect that changes the world has a way to ask it: performed twice, or after a kill, it changes it once."""

from __future__ import annotations

import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import pytest

from goldenpath_loop.engine import perform
from goldenpath_loop.records import effects as asked
from goldenpath_loop.records.agents import Edit
from goldenpath_loop.records.effects import AnyEffect, effect_adapter
from tests.e2e.library import git

from .clones import BRANCH, Template, World, make_template
from .performing import Engines, Kill, Life

_SERVE = (
    "import http.server as h, os; "
    "h.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), h.SimpleHTTPRequestHandler).serve_forever()"
)
_PROCESS = """
[deploy]
adapter = "process"
[services.shop]
start = ["{{python}}", "-c", {serve}]
env = {{ PORT = "{{port}}" }}
[[services.shop.probes]]
name = "home"
kind = "http"
path = "/"
"""
_COMMAND = """
[deploy]
adapter = "command"
command = ["{{python}}", {script}, "{{revision}}"]
[services.shop]
url = "{url}"
revision = "revision"
[[services.shop.probes]]
name = "home"
kind = "http"
path = "/"
"""
# The rename is the deployment; whoever is killed before it has deployed nothing.
_SCRIPT = """
import os, pathlib, sys
folder = pathlib.Path(__file__).parent
(folder / "fresh").write_text(sys.argv[1])
os.rename(folder / "fresh", folder / "served")
with (folder / "deployments").open("a") as noted:
    noted.write(sys.argv[1] + "\\n")
"""


def changing() -> set[str]:
    """Kinds of effects after which something is different."""
    kinds = get_args(get_args(AnyEffect)[0])
    return {one.model_fields["kind"].default for one in kinds if issubclass(one, asked.Change | asked.Deploy)}


def plan(name: str, template: Template) -> tuple[AnyEffect, ...]:
    """What is performed to see an effect of this name, the last one."""
    tree, revert, compose, push, show = map(effect_adapter.validate_json, template.effects)
    assert isinstance(tree, asked.PrepareWorktree)
    deploy = asked.Deploy(
        key="deploy",
        deployment="d",
        tree=tree.tree,
        revision=tree.revision,
        preview=name != "deploy by command",
    )
    patch = asked.ApplyPatch(
        key="patch",
        cluster="K1",
        dispatch="fixer",
        edits=(Edit(path="README.md", search="A shop", replace="The shop"),),
        onto=tree.revision,
        branch=BRANCH,
        tree="remedy-1",
        message="Mend it",
    )
    stop = asked.StopDeployment(key="stop", deployment="d")
    return {
        "prepare_worktree": (tree,),
        "revert_commit": (tree, revert),
        "apply_patch": (tree, patch),
        "compose_remedies": (tree, revert, compose),
        "deploy": (tree, deploy),
        "deploy by command": (tree, deploy),
        "stop_deployment": (tree, deploy, stop),
        "push_branch": (tree, revert, push),
        "open_pull_request": (tree, revert, push, show),
    }[name]


NAMES = (
    "prepare_worktree",
    "revert_commit",
    "apply_patch",
    "compose_remedies",
    "deploy",
    "deploy by command",
    "stop_deployment",
    "push_branch",
    "open_pull_request",
)


def test_each_kind_has_one_and_it_stands_in_the_table() -> None:
    """A new kind of change needs a row in the performer's docstring and a scenario here."""
    table = {row for row in re.findall(r"^([a-z_]+)  +\S", perform.__doc__ or "", re.MULTILINE)} - {"kind"}
    assert table == changing() == {name.split(" ")[0] for name in NAMES}


@dataclass(frozen=True)
class Scene:
    """A copy of the world, with services where the scenario has any."""

    world: World
    engines: Engines
    plan: tuple[AnyEffect, ...]

    def life(self, kill: Kill | None = None, *, again: bool = False) -> Life:
        texts = tuple(one.model_dump_json() for one in self.plan)
        return replace(self.world.life("a", kill), effects=texts, again=again, tidies=False)

    def live(self, kill: Kill | None = None, *, again: bool = False) -> None:
        (how,) = self.engines.live(self.life(kill, again=again))
        assert how == ("killed" if kill else "lived"), how

    def begun(self) -> int:
        """How many processes were started before the last effect of a whole life, and with it."""
        told = self.engines.told(self.life())["begun"]
        return int(told[self.plan[-1].kind])

    def started(self) -> int:
        return int(self.engines.told(self.life())["points"]["spawn"])

    def picture(self) -> dict[str, object]:
        """Everything that an effect could have changed, as far as it is the same in every copy."""
        root, home = self.world.root("a"), self.world.folder / "home-a"
        rows = git(root, "worktree", "list", "--porcelain").splitlines()
        trees = [Path(row.split(" ", 1)[1]) for row in rows if row.startswith("worktree ")]
        ours = {tree.name: tree for tree in trees if tree.is_relative_to(home)}
        entry = self.world.folder.glob("runs-a/*/pull_request*.md")
        return {
            "refs": git(root, "for-each-ref", "--format=%(refname) %(objectname)"),
            "remote": git(self.world.origin, "for-each-ref", "--format=%(refname)"),
            "branch": git(self.world.origin, "for-each-ref", "--format=%(objectname)", "refs/heads"),
            "worktrees": {
                name: (git(tree, "rev-parse", "HEAD"), git(tree, "status", "--porcelain"))
                for name, tree in ours.items()
            },
            "pull requests": [path.name for path in entry],
            "running": len(self.engines.told(self.life())["alive"]),
            "served": self._read("served"),
        }

    def _read(self, name: str) -> str:
        path = self.world.folder / name
        return path.read_text() if path.exists() else ""

    def deployments(self) -> int:
        """How often the script ran to its end."""
        return len(self._read("deployments").splitlines())


@contextmanager
def _standing(folder: Path) -> Iterator[str]:
    """The deployed system: says what the file `served` says."""

    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served = folder / "served"
            answer = json.dumps({"revision": served.read_text() if served.exists() else "0" * 40}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *arguments: object) -> None:
            """Nobody reads it."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with Engines() as process:
        yield process


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, engines: Engines) -> Template:
    return make_template(tmp_path_factory.mktemp("made"), engines)


@contextmanager
def scene(name: str, template: Template, engines: Engines, folder: Path) -> Iterator[Scene]:
    """A world for the scenario called `name`."""
    world = template.copy(folder)
    config = world.root("a") / "goldenpath.toml"
    with _standing(folder) as url:
        if name == "deploy by command":
            (folder / "deploy.py").write_text(_SCRIPT)
            config.write_text(
                config.read_text() + _COMMAND.format(script=json.dumps(str(folder / "deploy.py")), url=url)
            )
        elif "deploy" in name:
            config.write_text(config.read_text() + _PROCESS.format(serve=json.dumps(_SERVE)))
        yield Scene(world, engines, plan(name, template))


@pytest.mark.parametrize("name", NAMES)
def test_it_changes_the_world_once(name: str, template: Template, engines: Engines, tmp_path: Path) -> None:
    """Twice in a row, and after a kill in its middle, and when it was all but done and nobody knew."""
    with scene(name, template, engines, tmp_path / "once") as once:
        once.live()
        expected, begun, ends = once.picture(), once.begun(), once.started()
    assert expected["running"] == (1 if name == "deploy" else 0)
    assert bool(expected["served"]) == (name == "deploy by command")
    with scene(name, template, engines, tmp_path / "twice") as twice:
        twice.live(again=True)
        assert twice.picture() == expected
        assert twice.deployments() == once.deployments()
    points = [("spawned", number) for number in {(begun + 1 + ends) // 2, ends} if begun < number <= ends]
    for at, number in points:
        with scene(name, template, engines, tmp_path / f"{at}-{number}") as killed:
            killed.live(Kill(at, number))  # type: ignore[arg-type]
            killed.live()
            assert killed.picture() == expected, (at, number)
            assert killed.deployments() <= once.deployments(), (at, number)


def test_a_script_that_ended_before_the_kill_is_not_run_again(
    template: Template, engines: Engines, tmp_path: Path
) -> None:
    """Nobody wrote down that it did: what is served says it."""
    with scene("deploy by command", template, engines, tmp_path / "once") as once:
        once.live()
        writes = int(engines.told(once.life())["points"]["write"])
    with scene("deploy by command", template, engines, tmp_path / "killed") as killed:
        # The last write but those of the receipt: its evidence.
        killed.live(Kill("write", writes - 2))
        assert killed.deployments() == 1
        killed.live()
        assert killed.deployments() == 1
        assert killed.picture() == once.picture()
