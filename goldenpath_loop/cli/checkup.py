"""What `loop doctor` looks at: each check says ok, warning or problem, and what to do."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import anyio

from goldenpath_loop.cli.check import Check
from goldenpath_loop.cli.checkout import ask_git
from goldenpath_loop.cli.model_check import model_checks
from goldenpath_loop.cli.runs import NETWORK_ADVICE
from goldenpath_loop.config.index_suites import index_in
from goldenpath_loop.config.load import Loaded
from goldenpath_loop.config.variables import port_of
from goldenpath_loop.errors import LoopError
from goldenpath_loop.records.target import SuiteSpec
from goldenpath_loop.system.environment import own_environment
from goldenpath_loop.system.mounts import network_kind_of
from goldenpath_loop.system.process import Command, run
from goldenpath_loop.team.load import team_of

__all__ = ["check_git", "checks"]

_OLDEST_GIT = (2, 25)
_CONNECT_S = 3.0
_LS_REMOTE_S = 15.0
_LITTLE_BYTES = 2_000_000_000
_TOO_LITTLE_BYTES = 200_000_000
_ENV = re.compile(r"\{env\.([A-Za-z0-9_-]+)\}")
_DEMO_MODULES = ("jwt", "pytest", "starlette", "uvicorn")


async def check_git() -> Check:
    """Whether git can be used, and whether it is new enough."""
    try:
        version = await ask_git(Path.cwd(), "--version")
    except LoopError as error:
        return Check("git", "problem", error.message, error.advice)
    numbers = re.search(r"(\d+)\.(\d+)", version or "")
    if not numbers:
        return Check("git", "problem", "does not say its version", "look at `git --version`")
    found = (int(numbers[1]), int(numbers[2]))
    text = ".".join(map(str, found))
    if found < _OLDEST_GIT:
        return Check("git", "problem", f"version {text} is too old", "install 2.25 or newer")
    return Check("git", "ok", f"version {text}")


async def checks(loaded: Loaded, *, environ: Mapping[str, str]) -> AsyncIterator[Check]:
    """Every check of a configuration that loads, in the order a run would meet them."""
    if loaded.demo:
        yield _demo(loaded.demo)
    else:
        async for check in _repository(loaded):
            yield check
        if any(suite.is_pytest for suite in loaded.settings.suites):
            yield await _interpreter(loaded)
        for answer in (_suites(loaded), _index(loaded), _settings(loaded, environ), _deploy_command(loaded)):
            for check in answer:
                yield check
        async for check in _services(loaded):
            yield check
    for check in _runs_folder(loaded):
        yield check
    yield _team(loaded.root)
    async for check in model_checks(loaded.settings.model):
        yield check


def _demo(name: str) -> Check:
    missing = [module for module in _DEMO_MODULES if importlib.util.find_spec(module) is None]
    if missing:
        advice = 'pip install "goldenpath-loop[demo]"'
        return Check("demo", "problem", f"`{name}` needs {', '.join(missing)}", advice)
    return Check("demo", "ok", f"everything `{name}` needs is installed")


async def _repository(loaded: Loaded) -> AsyncIterator[Check]:
    target, root = loaded.settings.target, loaded.root
    try:
        inside = await ask_git(root, "rev-parse", "--verify", "HEAD")
        if inside is None:
            yield Check("repository", "problem", f"{root} has no commit", "the loop works on commits")
            return
        yield Check("repository", "ok", str(root))
        refs = (f"refs/heads/{target.branch}", f"refs/remotes/{target.remote}/{target.branch}")
        if [ref for ref in refs if await ask_git(root, "rev-parse", "--verify", ref)]:
            yield Check("base branch", "ok", target.branch)
        else:
            advice = "correct `target.branch`, or fetch it"
            yield Check("base branch", "problem", f"there is no branch `{target.branch}`", advice)
        yield await _remote(root, target.remote, target.branch)
        changed = (await ask_git(root, "status", "--porcelain") or "").splitlines()
        if changed:
            message = f"{len(changed)} files are changed or untracked; a run sees commits alone"
            yield Check("checkout", "warning", message, "commit or stash them")
        else:
            yield Check("checkout", "ok", "clean")
    except LoopError as error:
        yield Check("repository", "problem", error.message, error.advice)


async def _remote(root: Path, remote: str, branch: str) -> Check:
    # Neither the address nor git's own words are shown: both may hold credentials.
    if await ask_git(root, "remote", "get-url", remote) is None:
        advice = "branches of remedies cannot be pushed; `git remote add` one, or correct `target.remote`"
        return Check("remote", "warning", f"there is no remote `{remote}`", advice)
    if await ask_git(root, "ls-remote", "--quiet", remote, timeout_s=_LS_REMOTE_S) is None:
        advice = f"try `git ls-remote {remote}`; nobody can type a password in a run"
        return Check("remote", "problem", f"`{remote}` does not answer within {_LS_REMOTE_S:g} s", advice)
    if not await ask_git(root, "ls-remote", remote, f"refs/heads/{branch}", timeout_s=_LS_REMOTE_S):
        return Check("remote", "warning", f"`{remote}` has no branch `{branch}`", "push it once")
    return Check("remote", "ok", f"`{remote}` answers")


async def _interpreter(loaded: Loaded) -> Check:
    python = _resolved(loaded.settings.target.python.replace("{python}", sys.executable), loaded.root)
    if python is None:
        message = f"{loaded.settings.target.python} does not exist"
        return Check("interpreter", "problem", message, "correct `target.python`")
    probe = "import sys, pytest; print(pytest.__version__, sys.version.split()[0])"
    try:
        done = await run(
            Command((python, "-c", probe), loaded.root, own_environment(), timeout_s=60), separate=True
        )
    except LoopError as error:
        return Check("interpreter", "problem", error.message, error.advice)
    answer = done.output.decode("utf-8", "replace").split()
    if done.exit_code != 0 or len(answer) != 2:
        return Check("interpreter", "problem", f"{python} has no pytest", f"{python} -m pip install pytest")
    return Check("interpreter", "ok", f"{python}: Python {answer[1]}, pytest {answer[0]}")


def _suites(loaded: Loaded) -> Iterator[Check]:
    if not loaded.settings.suites:
        advice = "add [suites.NAME], or name a Markdown test index in `target.index`"
        yield Check("suites", "problem", "none is configured", advice)
    for suite in loaded.settings.suites:
        yield _suite(suite, loaded)
    for focus in loaded.settings.focuses:
        if not any(focus.selects(suite) for suite in loaded.settings.suites):
            yield Check(
                f"focus {focus.name}", "problem", "it has no suite", "correct its suites or priorities"
            )
    if not loaded.settings.focuses:
        yield Check("focuses", "problem", "none is configured", "add [focuses.goldenpath]")


def _suite(suite: SuiteSpec, loaded: Loaded) -> Check:
    name = f"suite {suite.name}"
    key = "path" if suite.is_pytest else "command"
    origin = loaded.origins.get(f"suites.{suite.name}.{key}")
    if suite.is_pytest:
        path = suite.path.split("::")[0]
        if not (loaded.root / path).exists():
            return Check(name, "problem", f"there is no {path}", f"correct it in {origin}")
        return Check(name, "ok", suite.path)
    if _resolved(suite.command[0].replace("{python}", sys.executable), loaded.root) is None:
        return Check(name, "problem", f"there is no program {suite.command[0]}", f"correct it in {origin}")
    return Check(name, "ok", " ".join(suite.command))


def _index(loaded: Loaded) -> Iterator[Check]:
    path = loaded.settings.target.index
    if not path:
        return
    try:
        index = index_in(path, root=loaded.root)
    except LoopError as error:
        yield Check("test index", "problem", f"{error.where}: {error.message}", error.advice)
        return
    if index.problems:
        said = "; ".join(f"line {problem.line}: {problem.message}" for problem in index.problems)
        yield Check("test index", "warning", f"{path}: {len(index.rows)} rows, not used: {said}")
    else:
        yield Check("test index", "ok", f"{path}: {len(index.rows)} rows")


def _settings(loaded: Loaded, environ: Mapping[str, str]) -> Iterator[Check]:
    from goldenpath_loop.deploy.settings import read_settings

    deploy = loaded.settings.deploy
    settings = dict(environ)
    if deploy.env_file:
        try:
            settings |= read_settings(loaded.path.parent / deploy.env_file)
        except LoopError as error:
            yield Check("env_file", "problem", str(error), error.advice)
            return
        yield Check("env_file", "ok", deploy.env_file)
    for service in loaded.settings.services:
        # Names only: a value never leaves this function.
        own = {
            key: _ENV.sub(lambda match: settings.get(match[1], ""), text) for key, text in service.env.items()
        }
        missing = [name for name in service.required_settings if not (settings | own).get(name)]
        name = f"settings of {service.name}"
        if missing:
            advice = "set them in the env_file, the environment or the service's `env`"
            yield Check(name, "problem", f"not set or empty: {', '.join(missing)}", advice)
        elif service.required_settings:
            yield Check(name, "ok", f"{', '.join(service.required_settings)} are set")


def _deploy_command(loaded: Loaded) -> Iterator[Check]:
    deploy = loaded.settings.deploy
    if deploy.adapter != "command":
        return
    program = deploy.command[0]
    if _resolved(program.replace("{python}", sys.executable), loaded.root) is None:
        advice = "it must exist in the checkout and be executable, or be on PATH"
        yield Check("deploy command", "problem", f"{program} cannot be run", advice)
    else:
        yield Check("deploy command", "ok", program)


async def _services(loaded: Loaded) -> AsyncIterator[Check]:
    adapter = loaded.settings.deploy.adapter
    for service in loaded.settings.services:
        name = f"service {service.name}"
        if adapter != "process":
            yield await _reachable(name, service.url or f"http://127.0.0.1:{service.port}")
        elif service.port:
            yield _port_free(name, service.port)
        elif _resolved(service.start[0].replace("{python}", sys.executable), loaded.root) is None:
            yield Check(name, "problem", f"{service.start[0]} cannot be run", "correct `start`")
        else:
            yield Check(name, "ok", "starts on a free port")


async def _reachable(name: str, url: str) -> Check:
    host, port = urlsplit(url).hostname, port_of(url)
    if not host or not port:
        return Check(name, "warning", "its address is known only in a run")
    try:
        with anyio.fail_after(_CONNECT_S):
            stream = await anyio.connect_tcp(host, port)
        await stream.aclose()
    except TimeoutError:
        return Check(name, "problem", f"{host}:{port} does not answer within {_CONNECT_S:g} s")
    except OSError as error:
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
        return Check(name, "problem", f"{host}:{port}: {cause.strerror or 'cannot be reached'}")
    return Check(name, "ok", f"{host}:{port} takes connections")


def _port_free(name: str, port: int) -> Check:
    with socket.socket() as listener:
        # As a server would: a connection that is only just closing does not count.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            advice = "end what listens there, or set port = 0"
            return Check(name, "problem", f"port {port} is not free: {error.strerror}", advice)
    return Check(name, "ok", f"port {port} is free")


def _runs_folder(loaded: Loaded) -> Iterator[Check]:
    folder = loaded.path.parent / loaded.settings.loop.runs
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield Check("runs folder", "problem", f"{existing} cannot be written to", "correct `loop.runs`")
        return
    kind = network_kind_of(folder)
    if kind:
        said = f"{folder} lies on a network file system ({kind})"
        yield Check("runs folder", "warning", said, NETWORK_ADVICE)
    else:
        yield Check("runs folder", "ok", str(folder))
    free = shutil.disk_usage(existing).free
    text = f"{free / 1e9:.1f} GB free"
    if free < _TOO_LITTLE_BYTES:
        yield Check("disk", "problem", text, "a run keeps worktrees and evidence; make room")
    elif free < _LITTLE_BYTES:
        yield Check("disk", "warning", text, "long runs keep worktrees and evidence; make room")
    else:
        yield Check("disk", "ok", text)


def _team(root: Path) -> Check:
    try:
        team = team_of(root)
    except LoopError as error:
        return Check("agents", "problem", f"{error.where}: {error.message}", error.advice)
    return Check("agents", "ok", f"{len(team.agents)} definitions fit their prompts")


def _resolved(program: str, root: Path) -> str | None:
    """`program` on PATH, or in the checkout when it has a slash; None when it cannot be run."""
    if "/" not in program:
        return shutil.which(program)
    path = root / Path(program).expanduser()
    return str(path) if path.is_file() and os.access(path, os.X_OK) else None
