"""`loop doctor` finds what would stop a run, says what to do, and shows no secret."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from goldenpath_loop.cli.doctor import doctor
from goldenpath_loop.cli.runs import warn_of_network
from goldenpath_loop.system import mounts

APP = typer.Typer()
APP.command()(doctor)


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=n", "-c", "user.email=n@example.test")
    subprocess.run(("git", "-C", str(folder), *identity, *words), check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clean checkout with one suite and a remote that answers."""
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch", "main", "remote.git")
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_a.py").touch()
    (folder / ".gitignore").write_text("goldenpath.toml\n*.env\nruns/\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    git(folder, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(folder, "push", "--quiet", "origin", "main")
    return folder


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


BASE = '[target]\nname = "shop"\n[focuses.f]\nsuites = []\n[suites.a]\npath = "tests/test_a.py"\n'


def examined(folder: Path, text: str | None, *, expect: int) -> dict[str, tuple[str, str]]:
    config = folder / "goldenpath.toml"
    if text is not None:
        config.write_text(text)
    result = CliRunner().invoke(APP, ["--config", str(config), "--json"])
    assert result.exit_code == expect, result.output
    report = json.loads(result.stdout)
    assert report["ok"] is (expect == 0)
    return {check["name"]: (check["state"], check["message"]) for check in report["checks"]}


def test_a_checkout_that_is_ready_has_no_problem(checkout: Path) -> None:
    found = examined(checkout, BASE, expect=0)
    assert {
        name: state for name, (state, _) in found.items() if name not in ("disk", "runs folder")
    } == dict.fromkeys(
        [
            "git",
            "configuration",
            "repository",
            "base branch",
            "remote",
            "checkout",
            "interpreter",
            "suite a",
            "agents",
        ],
        "ok",
    )


def test_the_terminal_shows_the_same(checkout: Path) -> None:
    (checkout / "goldenpath.toml").write_text(BASE)
    result = CliRunner().invoke(APP, ["--config", str(checkout / "goldenpath.toml")])
    assert result.exit_code == 0
    assert "suite a" in result.stdout


def test_without_a_configuration_the_next_step_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(APP, [])
    assert result.exit_code == 3
    assert "loop init" in result.stdout


def test_each_problem_of_the_configuration_is_a_check(checkout: Path) -> None:
    (checkout / "goldenpath.toml").write_text(BASE + "tiemout_s = 1\n[gates]\nP9 = 1\n")
    result = CliRunner().invoke(APP, ["--config", str(checkout / "goldenpath.toml"), "--json"])
    assert result.exit_code == 3
    messages = [
        check["message"] for check in json.loads(result.stdout)["checks"] if check["state"] == "problem"
    ]
    assert messages == [
        "goldenpath.toml:7: suites.a.tiemout_s: unknown key `tiemout_s`",
        "goldenpath.toml:9: gates.P9: unknown gate `P9`",
    ]


@pytest.mark.parametrize(
    ("text", "check", "state", "words"),
    [
        (BASE.replace('name = "shop"', 'name = "shop"\nbranch = "nope"'), "base branch", "problem", "`nope`"),
        (
            BASE.replace('name = "shop"', 'name = "shop"\npython = "/no/python"'),
            "interpreter",
            "problem",
            "/no/python",
        ),
        (BASE.replace("test_a", "test_b"), "suite a", "problem", "tests/test_b.py"),
        ('[target]\nname = "x"\n', "suites", "problem", "none is configured"),
        ('[target]\nname = "x"\n', "focuses", "problem", "none is configured"),
        (BASE + "[focuses.g]\npriorities = [6]\n", "focus g", "problem", "it has no suite"),
        (
            BASE + '[suites.j]\ncommand = ["no-such-program"]\njunit = "r"\n',
            "suite j",
            "problem",
            "no-such-program",
        ),
        (
            BASE.replace('name = "shop"', 'name = "shop"\nindex = "X.md"'),
            "test index",
            "problem",
            "cannot be read",
        ),
        (
            BASE + '[deploy]\nadapter = "command"\ncommand = ["scripts/no.sh"]\n[services.s]\nport = 1\n',
            "deploy command",
            "problem",
            "scripts/no.sh",
        ),
        (
            BASE + '[deploy]\nadapter = "process"\n[services.s]\nstart = ["no-such-program"]\n',
            "service s",
            "problem",
            "no-such-program",
        ),
        (BASE + '[deploy]\nenv_file = "no.env"\n', "env_file", "problem", "no.env"),
        (BASE + '[loop]\nruns = "tests/test_a.py/runs"\n', "runs folder", "problem", "cannot be written"),
    ],
)
def test_what_would_stop_a_run_is_a_problem(
    text: str, check: str, state: str, words: str, checkout: Path
) -> None:
    found = examined(checkout, text, expect=3)
    assert found[check][0] == state
    assert words in found[check][1]


def test_a_changed_checkout_and_a_missing_remote_are_warnings(checkout: Path) -> None:
    (checkout / "new.py").touch()
    git(checkout, "remote", "remove", "origin")
    found = examined(checkout, BASE, expect=0)
    assert found["checkout"][0] == "warning"
    assert found["remote"] == ("warning", "there is no remote `origin`")


def test_a_remote_that_does_not_answer_is_a_problem_and_its_address_stays_hidden(checkout: Path) -> None:
    git(checkout, "remote", "set-url", "origin", "file:///nowhere/user:hunter2@host")
    found = examined(checkout, BASE, expect=3)
    assert found["remote"][0] == "problem"
    assert "hunter2" not in json.dumps(found)


def test_a_folder_that_is_no_repository_is_a_problem(tmp_path: Path) -> None:
    assert examined(tmp_path, BASE, expect=3)["repository"][0] == "problem"


def test_an_interpreter_without_pytest_is_a_problem(checkout: Path, tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    text = BASE.replace('name = "shop"', f'name = "shop"\npython = "{bare}"')
    assert "has no pytest" in examined(checkout, text, expect=3)["interpreter"][1]


def test_required_settings_are_named_and_never_shown(checkout: Path, listener: int) -> None:
    (checkout / "staging.env").write_text("SET=hunter2\nEMPTY=\nOTHER=hunter3\n")
    text = (
        BASE
        + f'[deploy]\nenv_file = "staging.env"\n[services.s]\nport = {listener}\n'
        + 'env = { FROM = "{env.OTHER}", LOST = "{env.NOT_SET_ANYWHERE}" }\n'
    )
    wanted = 'required_settings = ["SET", "EMPTY", "ABSENT_HERE", "FROM", "LOST"]\n'
    found = examined(checkout, text + wanted, expect=3)
    assert found["settings of s"] == ("problem", "not set or empty: EMPTY, ABSENT_HERE, LOST")
    assert "hunter" not in json.dumps(found)
    found = examined(checkout, text + 'required_settings = ["SET", "FROM"]\n', expect=0)
    assert found["settings of s"] == ("ok", "SET, FROM are set")


def test_a_deployed_service_must_take_connections(checkout: Path, listener: int) -> None:
    text = BASE + f'[services.s]\nurl = "http://127.0.0.1:{listener}"\n'
    assert examined(checkout, text, expect=0)["service s"] == (
        "ok",
        f"127.0.0.1:{listener} takes connections",
    )
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        text = BASE + f"[services.s]\nport = {port}\n"
        assert examined(checkout, text, expect=3)["service s"][0] == "problem"


def test_a_fixed_port_must_be_free_for_what_the_loop_starts(checkout: Path, listener: int) -> None:
    text = BASE + f'[deploy]\nadapter = "process"\n[services.s]\nstart = ["{{python}}"]\nport = {listener}\n'
    assert examined(checkout, text, expect=3)["service s"][0] == "problem"
    text = BASE + '[deploy]\nadapter = "process"\n[services.s]\nstart = ["{python}"]\n'
    assert examined(checkout, text, expect=0)["service s"] == ("ok", "starts on a free port")


def test_the_demo_needs_no_repository(tmp_path: Path) -> None:
    found = examined(tmp_path, 'demo = "websocket-route"\n', expect=0)
    assert found["demo"][0] == "ok"
    assert "repository" not in found


def test_a_runs_folder_on_a_network_file_system_is_a_warning(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Doctor says it in its own words, a run in one line on standard error; neither refuses."""
    monkeypatch.setattr(mounts, "_mounts", lambda: [mounts.Mount("/", "nfs4")])
    state, message = examined(checkout, BASE, expect=0)["runs folder"]
    assert state == "warning"
    assert "lies on a network file system (nfs4)" in message
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        warn_of_network(checkout / "runs")
    assert said.getvalue().startswith(
        f"loop: {checkout / 'runs'} lies on a network file system (nfs4): locks"
    )
    assert said.getvalue().count("\n") == 1
