"""`loop culprit`: which commit turned a command red, in any repository, also when the command is flaky."""

from __future__ import annotations

import os
import platform
import shlex
from pathlib import Path
from typing import Annotated

import anyio
import typer

from goldenpath_loop.core.culprit_evidence import GUARD
from goldenpath_loop.errors import UsageError
from goldenpath_loop.records.policy import Limits, Policy, Settings
from goldenpath_loop.records.question import CulpritQuestion
from goldenpath_loop.records.target import FocusSpec, LoopSpec, SuiteSpec, TargetSpec

__all__ = ["culprit"]

_SUITE = "command"
_DAY_S = 86_400.0


Bad = Annotated[str, typer.Option(help="A revision on which it fails.")]
Good = Annotated[
    str | None,
    typer.Option(
        help="One on which it passed; default: looked for, back in doubling steps.", show_default=False
    ),
]
CommandWords = Annotated[
    list[str], typer.Argument(help="After --: what to run in each tree. 0 passes, 125 cannot tell.")
]
Flaky = Annotated[
    bool, typer.Option("--flaky", help="It may pass and fail on one commit: learn both rates along the way.")
]
Says = Annotated[
    str,
    typer.Option(
        help="Text that the failure prints; one without it cannot tell. Default: it fails as on the bad revision.",
        show_default=False,
    ),
]
Confidence = Annotated[float, typer.Option(help="Share of belief at which an answer counts.")]
Delta = Annotated[
    float, typer.Option(help="With --flaky: least change of the failure rate that is looked for.")
]
Jobs = Annotated[
    int | None, typer.Option(help="Commits run at once; default: one a core.", show_default=False)
]
Hunks = Annotated[
    bool, typer.Option("--hunks", help="Then find the smallest set of its hunks whose reverse makes it pass.")
]
GuardCommand = Annotated[
    str | None,
    typer.Option(
        help="With --hunks: a command that has to keep passing, like the other tests.", show_default=False
    ),
]
GuardReport = Annotated[
    str, typer.Option(help="JUnit XML that the guard writes in the tree; without it its exit code counts.")
]
Carry = Annotated[
    list[str] | None,
    typer.Option(help="A file or folder of the bad revision that is put into every tree, like a new test."),
]
Setup = Annotated[
    str | None,
    typer.Option(
        help="Command that builds a tree's environment in the folder {environment}.", show_default=False
    ),
]
SetupFile = Annotated[
    list[str] | None,
    typer.Option(help="A file that says what the setup builds; trees that agree in it share one."),
]
KeepHome = Annotated[
    bool, typer.Option("--keep-home", help="Run in your home folder, not in an empty one a run.")
]
Timeout = Annotated[float, typer.Option(help="Seconds after which one run is cut off and counts as red.")]
MostRuns = Annotated[int, typer.Option(help="Give up after so many runs.")]
Runs = Annotated[
    Path | None, typer.Option(help="Folder of all runs; default: `runs` here.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object at the end instead of progress.")]


def culprit(
    command: CommandWords,
    bad: Bad = "HEAD",
    good: Good = None,
    flaky: Flaky = False,
    says: Says = "",
    confidence: Confidence = 0.99,
    delta: Delta = 0.25,
    jobs: Jobs = None,
    hunks: Hunks = False,
    guard: GuardCommand = None,
    guard_report: GuardReport = "",
    carry: Carry = None,
    setup: Setup = None,
    setup_file: SetupFile = None,
    keep_home: KeepHome = False,
    timeout: Timeout = 600.0,
    most_runs: MostRuns = 1000,
    runs: Runs = None,
    as_json: AsJson = False,
) -> None:
    """Find the commit that turned a command red, and prove it: red on it, green on its parent.

    Every run happens in a worktree of its own; your checkout is not touched. `loop resume` goes on with a search
    that was cut off.
    """
    from goldenpath_loop.cli.checkout import top_of
    from goldenpath_loop.cli.watch import watch_run
    from goldenpath_loop.session.folder import create_run
    from goldenpath_loop.system import clock

    _refuse_impossible(confidence, delta)
    asked = SuiteSpec(
        name=_SUITE,
        command=tuple(command),
        timeout_s=timeout,
        idle_timeout_s=timeout,
        priority=1,
        fails_with=says,
        setup=_words("--setup", setup),
        setup_files=tuple(setup_file or ()),
    )
    kept = {"name": GUARD, "fails_with": "", "command": _words("--guard", guard), "junit": guard_report}
    suites = (asked, *([asked.model_copy(update=kept)] if guard is not None else []))
    root = anyio.run(top_of, Path.cwd())
    ends = _ends(root, bad, good)
    rules = {"is_flaky": flaky, "confidence": confidence, "delta": delta, "most_runs": most_runs}
    question = CulpritQuestion.model_validate({**ends, **rules, "hunks": hunks})
    settings = _settings(
        root, bad, tuple(carry or ()), jobs or os.cpu_count() or 1, suites, keep_home=keep_home
    )
    folder = create_run((runs or Path.cwd() / "runs").resolve(), clock.now(), "culprit")
    policy = _begin(folder.path, root, settings, question)
    raise typer.Exit(watch_run(folder, settings, policy, as_json=as_json))


def _ends(root: Path, bad: str, good: str | None) -> dict[str, str | None]:
    """Both ends of the history to be searched, as revisions."""
    from goldenpath_loop.cli.checkout import begin_of_line, revision_of

    bad_revision = anyio.run(revision_of, root, bad)
    if good is None:
        return {"bad": bad_revision}
    named = anyio.run(revision_of, root, good)
    begin = anyio.run(begin_of_line, root, bad_revision, named)
    return {"bad": bad_revision, "good": begin, "named_good": named if named != begin else None}


def _refuse_impossible(confidence: float, delta: float) -> None:
    if not 0.5 < confidence < 1:
        raise UsageError(f"--confidence {confidence:g} is not between 0.5 and 1", advice="0.99 is usual.")
    if not 0 < delta < 1:
        raise UsageError(f"--delta {delta:g} is not between 0 and 1", advice="0.25 is usual.")


def _words(option: str, text: str | None) -> tuple[str, ...]:
    """What a person typed as one word, as the words of a command."""
    if text is None:
        return ()
    advice = f'Quote it as for sh: {option} "python -m pytest -q".'
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"{option} cannot be split into words: {error}", advice=advice) from None
    if not words:
        raise UsageError(f"{option} is empty", advice=advice)
    return words


def _settings(
    root: Path,
    bad: str,
    carry: tuple[str, ...],
    jobs: int,
    suites: tuple[SuiteSpec, ...],
    *,
    keep_home: bool,
) -> Settings:
    """The configuration that such a question amounts to."""
    return Settings(
        target=TargetSpec(name=root.name, branch=bad, tests=carry),
        suites=suites,
        focuses=(FocusSpec(name="culprit"),),
        limits=Limits(duration_s=_DAY_S),
        loop=LoopSpec(jobs=jobs, own_home=not keep_home),
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
