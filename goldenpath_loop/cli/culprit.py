"""`loop culprit`: which commit turned a command red, in any repository, also when the command is flaky."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Annotated

import anyio
import typer

from goldenpath_loop.errors import UsageError
from goldenpath_loop.records.policy import Limits, Policy, Settings
from goldenpath_loop.records.question import CulpritQuestion
from goldenpath_loop.records.target import FocusSpec, LoopSpec, SuiteSpec, TargetSpec

__all__ = ["culprit"]

_SUITE = "command"
_DAY_S = 86_400.0


def culprit(
    command: Annotated[
        list[str], typer.Argument(help="After --: what to run in each tree. 0 passes, 125 cannot tell.")
    ],
    bad: Annotated[str, typer.Option(help="A revision on which it fails.")] = "HEAD",
    good: Annotated[
        str | None,
        typer.Option(
            help="One on which it passed; default: looked for, back in doubling steps.", show_default=False
        ),
    ] = None,
    flaky: Annotated[
        bool,
        typer.Option("--flaky", help="It may pass and fail on one commit: learn both rates along the way."),
    ] = False,
    confidence: Annotated[float, typer.Option(help="Share of belief at which an answer counts.")] = 0.99,
    delta: Annotated[
        float, typer.Option(help="With --flaky: least change of the failure rate that is looked for.")
    ] = 0.25,
    jobs: Annotated[
        int | None, typer.Option(help="Commits run at once; default: one a core.", show_default=False)
    ] = None,
    hunks: Annotated[
        bool,
        typer.Option("--hunks", help="Then find the smallest set of its hunks whose reverse makes it pass."),
    ] = False,
    carry: Annotated[
        list[str] | None,
        typer.Option(
            help="A file or folder of the bad revision that is put into every tree, like a new test."
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(help="Seconds after which one run is cut off and counts as red.")
    ] = 600.0,
    most_runs: Annotated[int, typer.Option(help="Give up after so many runs.")] = 1000,
    runs: Annotated[
        Path | None, typer.Option(help="Folder of all runs; default: `runs` here.", show_default=False)
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object at the end instead of progress.")
    ] = False,
) -> None:
    """Find the commit that turned a command red, and prove it: red on it, green on its parent.

    Every run happens in a worktree of its own; your checkout is not touched. `loop resume` goes on with a search
    that was cut off.
    """
    from goldenpath_loop.cli.checkout import revision_of, top_of
    from goldenpath_loop.cli.watch import watch_run
    from goldenpath_loop.session.folder import create_run
    from goldenpath_loop.system import clock

    _refuse_impossible(confidence, delta)
    root = anyio.run(top_of, Path.cwd())
    question = CulpritQuestion(
        bad=anyio.run(revision_of, root, bad),
        good=anyio.run(revision_of, root, good) if good is not None else None,
        is_flaky=flaky,
        confidence=confidence,
        delta=delta,
        most_runs=most_runs,
        hunks=hunks,
    )
    settings = _settings(root, bad, tuple(command), tuple(carry or ()), timeout, jobs or os.cpu_count() or 1)
    folder = create_run((runs or Path.cwd() / "runs").resolve(), clock.now(), "culprit")
    policy = _begin(folder.path, root, settings, question)
    raise typer.Exit(watch_run(folder, settings, policy, as_json=as_json))


def _refuse_impossible(confidence: float, delta: float) -> None:
    if not 0.5 < confidence < 1:
        raise UsageError(f"--confidence {confidence:g} is not between 0.5 and 1", advice="0.99 is usual.")
    if not 0 < delta < 1:
        raise UsageError(f"--delta {delta:g} is not between 0 and 1", advice="0.25 is usual.")


def _settings(
    root: Path, bad: str, command: tuple[str, ...], carry: tuple[str, ...], timeout_s: float, jobs: int
) -> Settings:
    """The configuration that such a question amounts to: one command as the only suite."""
    suite = SuiteSpec(name=_SUITE, command=command, timeout_s=timeout_s, idle_timeout_s=timeout_s, priority=1)
    return Settings(
        target=TargetSpec(name=root.name, branch=bad, tests=carry),
        suites=(suite,),
        focuses=(FocusSpec(name="culprit"),),
        limits=Limits(duration_s=_DAY_S),
        loop=LoopSpec(jobs=jobs),
    )


def _begin(folder: Path, root: Path, settings: Settings, question: CulpritQuestion) -> Policy:
    from goldenpath_loop import __version__
    from goldenpath_loop.cli.focus import policy_of
    from goldenpath_loop.engine.secret_values import redactor_of
    from goldenpath_loop.records.events import RunStarted
    from goldenpath_loop.session.folder import RunFolder
    from goldenpath_loop.session.session import Session

    policy = policy_of(settings, "culprit")
    run = RunFolder(folder)
    with Session(run, redactor_of(settings, root)) as session:
        session.append(
            RunStarted(
                run=run.id,
                version=__version__,
                root=str(root),
                config_file=str(root / "goldenpath.toml"),
                focus="culprit",
                settings=settings,
                policy=policy,
                question=question,
                platform=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
            )
        )
    return policy
