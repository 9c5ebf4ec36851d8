"""What stands in the remote about a pull request, what beside the run, and what when the remote wants none of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from goldenpath_loop.records.base import pull_request_ref
from goldenpath_loop.records.effects import OpenPullRequest, effect_adapter
from goldenpath_loop.records.receipts import PullRequestReceipt
from goldenpath_loop.review.verification import verify
from tests.e2e.library import git

from .clones import BRANCH, RUN, Template, World, make_template
from .performing import Engines

REF = pull_request_ref(BRANCH)
TOKEN = "ghp_" + "a1B2" * 6


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with Engines() as process:
        yield process


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, engines: Engines) -> Template:
    return make_template(tmp_path_factory.mktemp("made"), engines)


@pytest.fixture
def world(template: Template, tmp_path: Path) -> World:
    return template.copy(tmp_path / "world")


def shown(world: World, engines: Engines, name: str, **changes: object) -> PullRequestReceipt:
    """Let an engine do everything, or only open the pull request once more, as if nobody knew that it was."""
    effect = effect_adapter.validate_json(world.effects[-1])
    assert isinstance(effect, OpenPullRequest)
    number = len(world.opened(name)) if world.run(name).log.exists() else 0
    effect = effect.model_copy(update={"key": f"pull_request-{number}", **changes})
    life = replace(world.life(name), effects=(*world.effects[:-1], effect.model_dump_json()))
    assert engines.live(life) == ["lived"]
    return world.opened(name)[-1]


def refuse(world: World, *, to_take: str) -> Path:
    """A hook of the remote."""
    hook = world.origin / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f'#!/bin/sh\ncase "$1" in {to_take}) echo branches only >&2; exit 1;; esac\n')
    hook.chmod(0o755)
    return hook


def test_no_secret_gets_into_the_remote(world: World, engines: Engines) -> None:
    """Neither from the body nor from the title."""
    receipt = shown(world, engines, "a", title=f"Take {TOKEN} back", body=f"It said {TOKEN}.\n")

    whole = git(world.origin, "log", "-p", "--format=%B", REF)
    assert "It said [redacted]." in whole
    assert "Take [redacted] back" in whole
    assert TOKEN not in whole
    assert TOKEN not in Path(receipt.address).read_text()


def test_where_the_remote_takes_no_such_refs_the_file_says_so(world: World, engines: Engines) -> None:
    refuse(world, to_take="refs/goldenpath/*")

    receipt = shown(world, engines, "a")

    assert "branches only" in receipt.problem
    assert not receipt.opened_by
    (file,) = world.files()
    assert "| other runs | could not be asked whether they opened it too: " in file.read_text()
    assert "branches only" in file.read_text()


def test_what_was_written_without_asking_is_withdrawn_when_it_was_another_runs(
    world: World, engines: Engines
) -> None:
    """An engine that could not ask was killed before it was written down; the next one can ask."""
    hook = refuse(world, to_take="refs/goldenpath/*")
    shown(world, engines, "a")
    hook.unlink()
    theirs = shown(world, engines, "b")

    receipt = shown(world, engines, "a")

    assert receipt.opened_by.startswith(f"run {RUN} on ")
    assert (receipt.address, receipt.found, receipt.number) == (theirs.address, True, None)
    assert [str(path) for path in world.files()] == [theirs.address]
    assert verify(world.run("a")).is_true


def test_a_draft_that_was_proven_is_open_for_all(world: World, engines: Engines) -> None:
    """The same run brings its own up to date, here and there; others see it as it is."""
    shown(world, engines, "a", draft=True)
    assert shown(world, engines, "b").draft

    receipt = shown(world, engines, "a", body="Proven.\n")

    assert (receipt.found, receipt.draft) == (True, False)
    assert git(world.origin, "show", f"{REF}:pull_request.md").endswith("Proven.")
    assert Path(receipt.address).read_text().endswith("Proven.\n")
    assert not shown(world, engines, "b").draft


def test_without_a_remote_nobody_is_asked(world: World, engines: Engines) -> None:
    git(world.root("a"), "remote", "remove", "origin")

    receipt = shown(world, engines, "a")

    assert (receipt.problem, receipt.opened_by) == ("", "")
    assert world.refs() == {"refs/heads/main"}
    assert len(world.files()) == 1
