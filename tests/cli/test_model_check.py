"""`loop doctor` asks the configured model, says what it cannot do and what that means, and shows no key."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path

import anyio
import pytest
import typer
from typer.testing import CliRunner

from goldenpath_loop.cli.check import Check
from goldenpath_loop.cli.doctor import doctor
from goldenpath_loop.cli.model_check import model_checks
from goldenpath_loop.records.target import ModelSpec
from tests.model.capable import Capable
from tests.model_server import Behaviour, Fault, ModelServer, Text, serve
from tests.model_server.asking import Says

BASE = '[target]\nname = "shop"\n[focuses.f]\nsuites = []\n[suites.a]\ncommand = ["true"]\njunit = "r"\n'
APP = typer.Typer()
APP.command()(doctor)
KEY = "sk-hunter2-0123456789"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key of the machine."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def checked(lines: str) -> dict[str, Check]:
    """The checks of models, by name."""

    async def all_of() -> list[Check]:
        return [check async for check in model_checks(ModelSpec.model_validate(tomllib.loads(lines)))]

    return {check.name: check for check in anyio.run(all_of)}


def only(server: ModelServer, more: str = "") -> tuple[str, str, str]:
    """State, words and advice of the one check of a model."""
    (check,) = checked(f'name = "scripted"\nbase_url = "{server.base_url}"\n{more}').values()
    assert check.name == "model scripted"
    assert KEY not in f"{check.message}{check.advice}"
    return check.state, check.message.replace(f"127.0.0.1:{server.port}", "HOST"), check.advice


def test_without_a_model_nothing_is_asked() -> None:
    assert checked("") == {}


def test_a_model_that_can_do_everything() -> None:
    with serve(Capable()) as server:
        assert only(server) == (
            "ok",
            "HOST answers, keeps to schemas, calls tools, counts tokens",
            "",
        )


@pytest.mark.parametrize(
    ("behaviour", "words", "advice"),
    [
        (Capable(schemas="no"), "ignores schemas", "asked for twice"),
        (Capable(schemas="refused"), "refuses schemas", "asked for twice"),
        (Capable(tools="no"), "calls no tool", "the evidence of its brief alone"),
        (Capable(tools="refused"), "refuses tools", "choose a model that takes them"),
        (Capable(schemas="no", usage=False), "counts no tokens", "marked as a guess"),
    ],
)
def test_what_it_cannot_do_is_a_warning_with_its_meaning(
    behaviour: Behaviour, words: str, advice: str
) -> None:
    with serve(behaviour) as server:
        state, message, told = only(server)
    assert state == "warning"
    assert words in message
    assert advice in told


def test_a_name_that_the_server_does_not_list() -> None:
    with serve(Capable(), models=tuple(f"m{number}" for number in range(10))) as server:
        state, _, advice = only(server)
    assert state == "warning"
    assert "may answer with another model; it offers m0, m1, m2, m3, m4, m5, m6, m7 and 2 more" in advice


def test_a_name_that_the_server_refuses() -> None:
    with serve(Says(Fault("status", status=404)), models=("one",)) as server:
        state, message, advice = only(server)
    assert state == "problem"
    assert message.startswith("HOST does not know it: HTTP 404")
    assert advice == "correct `model.name`; it offers one"


def test_a_key_that_is_missing() -> None:
    with serve(Capable(), api_key=KEY) as server:
        assert only(server) == (
            "problem",
            "HOST wants a key, and `OPENAI_API_KEY` is not set",
            "set it, or have `model.api_key_command` print the key",
        )
        assert only(server, 'api_key_env = ""')[1] == "HOST wants a key, and none is configured"


def test_a_key_that_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", KEY)
    with serve(Capable(), api_key="another") as server:
        state, message, _ = only(server, 'api_key_env = "SHOP_KEY"')
        assert (state, message) == ("problem", "HOST refuses the key in `SHOP_KEY` (HTTP 401)")
        command = only(server, f'api_key_command = ["echo", "{KEY}"]')[1]
    assert command == "HOST refuses the key that `model.api_key_command` prints (HTTP 401)"


@pytest.mark.parametrize("more", ['api_key_env = "SHOP_KEY"', f'api_key_command = ["echo", "{KEY}"]'])
def test_a_key_that_fits(monkeypatch: pytest.MonkeyPatch, more: str) -> None:
    monkeypatch.setenv("SHOP_KEY", KEY)
    with serve(Capable(), api_key=KEY) as server:
        assert only(server, more)[0] == "ok"


def test_a_key_that_the_server_repeats_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    body = json.dumps({"error": {"message": f"no money is left for {KEY}"}})
    with serve(Says(Fault("status", status=402, body=body))) as server:
        message = only(server)[1]
    assert "no money is left for [key]" in message


def test_a_command_that_prints_no_key() -> None:
    found = checked('name = "m"\nbase_url = "http://127.0.0.1:9/v1"\napi_key_command = ["false"]')
    assert found["model key"].state == "problem"


def test_a_server_that_is_not_there() -> None:
    with serve(Capable()) as server:
        pass
    state, message, advice = only(server)
    assert state == "problem"
    assert message.startswith("HOST does not answer: no connection")
    assert advice == "does the server run, and is `model.base_url` its address?"


@pytest.mark.parametrize(
    ("said", "state", "advice"),
    [
        (Fault("html"), "problem", "most end in /v1"),
        (Fault("status", status=500), "problem", "the server's own log"),
        (Fault("status", status=429), "warning", "look at the quota"),
        (Fault("hang"), "problem", "still loading the model"),
    ],
)
def test_a_server_that_gives_no_answer(said: Fault, state: str, advice: str) -> None:
    with serve(Says(said)) as server:
        found = only(server, "timeout_s = 0.2")
    assert found[0] == state
    assert advice in found[2]


def test_each_model_is_asked_once() -> None:
    with serve(Capable(), models=("big", "small")) as server:
        lines = f'name = "big"\nstrong = "big"\nfast = "small"\nbase_url = "{server.base_url}"'
        found = checked(lines)
    assert list(found) == ["model big", "model small"]
    assert [one["body"]["model"] for one in server.requests] == ["big"] * 3 + ["small"] * 3


def test_a_password_in_the_address_is_not_shown() -> None:
    with serve(Says(Text("hello"))) as server:
        address = f"http://me:{KEY}@127.0.0.1:{server.port}/v1"
        found = checked(f'name = "scripted"\nbase_url = "{address}"')
    assert found["model scripted"].message.startswith(f"127.0.0.1:{server.port} answers")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with one commit."""
    git = ("git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=n@example.test")
    subprocess.run((*git, "init", "--quiet", "--initial-branch", "main"), check=True)
    subprocess.run((*git, "commit", "--quiet", "--allow-empty", "-m", "first"), check=True)
    return tmp_path


@pytest.mark.parametrize(("key", "code"), [(None, 0), (KEY, 3)])
def test_the_doctor_says_it_with_everything_else(checkout: Path, key: str | None, code: int) -> None:
    with serve(Capable(), api_key=key) as server:
        model = f'[model]\nname = "scripted"\nbase_url = "{server.base_url}"\n'
        (checkout / "goldenpath.toml").write_text(BASE + model)
        arguments = ["--config", str(checkout / "goldenpath.toml")]
        shown = CliRunner().invoke(APP, arguments)
        report = CliRunner().invoke(APP, [*arguments, "--json"])
    assert (shown.exit_code, report.exit_code) == (code, code), shown.output
    assert "model scripted" in shown.stdout
    check = json.loads(report.stdout)["checks"][-1]
    assert (check["name"], check["state"]) == ("model scripted", "problem" if code else "ok")
