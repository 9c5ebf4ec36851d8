"""`loop start`: begin a run and stay with it until it has an outcome."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from goldenpath_loop.cli.focus import policy_of
from goldenpath_loop.errors import ConfigurationError, UsageError
from goldenpath_loop.records.policy import Approvable, Policy, Settings
from goldenpath_loop.session.folder import RunFolder

if TYPE_CHECKING:
    from goldenpath_loop.config.load import Loaded

__all__ = ["Target", "start"]


@dataclass(frozen=True, slots=True)
class Target:
    """What a run works on."""

    settings: Settings
    root: Path
    config: Path


def start(
    scenario: Annotated[
        str | None,
        typer.Argument(help="With --demo: which fault the built-in target hides.", show_default=False),
    ] = None,
    focus: Annotated[
        str | None, typer.Option(help="Which focus of the configuration to work through.", show_default=False)
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Work on the built-in target.")] = False,
    config: Annotated[
        Path | None,
        typer.Option(help="Configuration file; default: the nearest one above.", show_default=False),
    ] = None,
    runs: Annotated[
        Path | None, typer.Option(help="Folder of all runs; default: [loop] runs.", show_default=False)
    ] = None,
    allow_dirty: Annotated[
        bool, typer.Option("--allow-dirty", help="Test the last commit although the checkout has changes.")
    ] = False,
    observe: Annotated[
        bool,
        typer.Option(
            "--observe", help="Change nothing that others see: no deploy script, no push, no pull request."
        ),
    ] = False,
    stop_after: Annotated[
        str | None, typer.Option(help="End the run after this phase.", metavar="PHASE", show_default=False)
    ] = None,
    approve: Annotated[
        str | None,
        typer.Option(
            help="Pause before these and wait for `loop approve`: deploy,push,pull_request.",
            metavar="KINDS",
            show_default=False,
        ),
    ] = None,
    in_background: Annotated[
        bool,
        typer.Option("--detach", help="Print one line of JSON once the run lives, and leave it alone."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object at the end instead of progress.")
    ] = False,
) -> None:
    """Find what is red, say why, repair it and prove the repair; nothing is changed but branches of its own."""
    from goldenpath_loop.cli.detach import detach
    from goldenpath_loop.cli.watch import watch_run
    from goldenpath_loop.session.folder import create_run
    from goldenpath_loop.system import clock

    if scenario is not None and not demo:
        raise UsageError(
            f"unexpected argument {scenario}",
            advice="A scenario goes with --demo; a focus with --focus NAME.",
        )
    conduct = _conduct(observe, stop_after, approve)
    place = _place(config) if not demo else None
    runs_folder = (runs or (place.parent if place else Path.cwd()) / "runs").resolve()
    if place is None:
        folder = create_run(runs_folder, clock.now(), focus or "goldenpath")
        target = _demo_target(folder, scenario or "websocket-route")
    else:
        folder, target = _configured(place, runs, runs_folder, focus)
    policy = _policy_or_record(folder, target, focus).model_copy(update=conduct)
    _begin(folder, target, policy, allow_dirty=allow_dirty)
    if in_background:
        raise typer.Exit(detach(folder))
    raise typer.Exit(watch_run(folder, target.settings, policy, as_json=as_json))


def _conduct(observe: bool, stop_after: str | None, approve: str | None) -> dict[str, object]:
    """How far the run may go, as fields of its policy."""
    from goldenpath_loop.core.phases import PHASES

    if stop_after is not None and stop_after not in PHASES:
        raise UsageError(f"there is no phase {stop_after!r}", advice=f"Phases: {', '.join(PHASES)}.")
    kinds = tuple(dict.fromkeys(word.strip() for word in (approve or "").split(",") if word.strip()))
    known = get_args(Approvable)
    for kind in kinds:
        if kind not in known:
            raise UsageError(f"nobody approves {kind!r}", advice=f"Choose among: {', '.join(known)}.")
    return {"observe": observe, "stop_after": stop_after or "", "approve": kinds}


def _place(config: Path | None) -> Path:
    from goldenpath_loop.config.load import find_config

    if config is not None:
        if not config.is_file():
            raise ConfigurationError("there is no such file", where=str(config))
        return config.resolve()
    found = find_config(Path.cwd())
    if found is None:
        raise ConfigurationError(
            "there is no goldenpath.toml here or above",
            where=str(Path.cwd()),
            advice="`loop init` looks around and writes one; `loop start --demo` shows the loop on its built-in "
            "target.",
        )
    return found


def _configured(
    place: Path, runs: Path | None, default_runs: Path, focus: str | None
) -> tuple[RunFolder, Target]:
    from goldenpath_loop.config.load import load
    from goldenpath_loop.session.folder import create_run
    from goldenpath_loop.system import clock

    try:
        loaded = load(place, environ=os.environ)
    except ConfigurationError as error:
        folder = create_run(default_runs, clock.now(), focus or "run")
        _record_refusal(folder, place, focus or "", error)
        raise
    folder_of_runs = (runs or place.parent / loaded.settings.loop.runs).resolve()
    folder = create_run(folder_of_runs, clock.now(), focus or "goldenpath")
    if loaded.demo:
        own = loaded.settings
        target = _demo_target(folder, loaded.demo)
        kept = {key: getattr(own, key) for key in ("limits", "loop") if _is_set(loaded, key)}
        settings = target.settings.model_copy(update=kept)
        return folder, Target(settings, target.root, target.config)
    return folder, Target(loaded.settings, loaded.root, place)


def _is_set(loaded: Loaded, table: str) -> bool:
    return any(
        key.startswith(f"{table}.") and str(where) != "default" for key, where in loaded.origins.items()
    )


def _demo_target(folder: RunFolder, scenario: str) -> Target:
    from goldenpath_loop.config.load import load

    try:
        from goldenpath_loop.demo import write_demo
    except ImportError as error:
        raise UsageError(
            f"the built-in target needs {error.name}", advice="pip install 'goldenpath-loop[demo]'"
        ) from error
    try:
        site = write_demo(folder.path / "demo", scenario)
    except UsageError:
        folder.path.rmdir()
        raise
    loaded = load(site.root / "goldenpath.toml", environ=os.environ)
    return Target(loaded.settings, site.root, loaded.path)


def _policy_or_record(folder: RunFolder, target: Target, focus: str | None) -> Policy:
    try:
        return policy_of(target.settings, focus)
    except UsageError as error:
        _record_refusal(folder, target.config, focus or "", error, root=target.root)
        raise


def _begin(folder: RunFolder, target: Target, policy: Policy, *, allow_dirty: bool) -> None:
    from goldenpath_loop import __version__
    from goldenpath_loop.engine.secret_values import redactor_of
    from goldenpath_loop.records.events import RunStarted
    from goldenpath_loop.session.session import Session
    from goldenpath_loop.team.load import agent_digests

    try:
        redactor = redactor_of(target.settings, target.config.parent)
    except ConfigurationError as error:
        _record_refusal(folder, target.config, policy.focus.name, error, root=target.root)
        raise
    with Session(folder, redactor) as session:
        session.append(
            RunStarted(
                run=folder.id,
                version=__version__,
                root=str(target.root),
                config_file=str(target.config),
                focus=policy.focus.name,
                settings=target.settings,
                policy=policy,
                agents=agent_digests(target.root),
                allow_dirty=allow_dirty,
                platform=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
            )
        )


def _record_refusal(
    folder: RunFolder,
    config: Path,
    focus: str,
    error: ConfigurationError | UsageError,
    *,
    root: Path | None = None,
) -> None:
    """A run that could not even begin still says what happened."""
    from goldenpath_loop import __version__
    from goldenpath_loop.records.events import RunFinished, RunStarted
    from goldenpath_loop.session.session import Session

    with Session(folder) as session:
        session.append(
            RunStarted(
                run=folder.id,
                version=__version__,
                root=str(root or config.parent),
                config_file=str(config),
                focus=focus,
            )
        )
        session.append(
            RunFinished(
                outcome="blocked",
                reason=f"{error.where}: {error.message}" if error.where else error.message,
                exit_code=error.exit_code,
                next_actions=(error.advice,) if error.advice else (),
            )
        )
