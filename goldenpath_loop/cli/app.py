"""The command `loop`: its nouns, and one place where an error becomes a message and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated, NoReturn

import typer

from goldenpath_loop import __version__
from goldenpath_loop.cli.agents import agents
from goldenpath_loop.cli.approve import approve, reject
from goldenpath_loop.cli.culprit import culprit
from goldenpath_loop.cli.demo import demo
from goldenpath_loop.cli.detach import wait
from goldenpath_loop.cli.doctor import doctor
from goldenpath_loop.cli.init import init
from goldenpath_loop.cli.limits import limits
from goldenpath_loop.cli.list import list_runs
from goldenpath_loop.cli.pause import pause
from goldenpath_loop.cli.resume import resume
from goldenpath_loop.cli.show import show
from goldenpath_loop.cli.start import start
from goldenpath_loop.cli.status import status
from goldenpath_loop.cli.transcripts import transcripts
from goldenpath_loop.cli.verify import verify
from goldenpath_loop.errors import LoopError
from goldenpath_loop.system.disk import disk_error
from goldenpath_loop.system.standard_streams import keep_places, say_last

__all__ = ["app", "main"]

_EPILOG = (
    "Exit codes: 0 passed, repaired or found; 1 internal or file error; 2 usage; 3 configuration; 10 blocked, a person "
    "has to act; 11 inconclusive, the evidence ends; 12 limit of pull requests; 13 budget; 14 aborted; 130 paused "
    "by Ctrl-C."
)

app = typer.Typer(
    name="loop",
    help="Finds, explains, repairs and proves regressions of a running system, unattended.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(start)
app.command()(pause)
app.command()(wait)
app.command()(approve)
app.command()(limits)
app.command()(reject)
app.command()(resume)
app.command()(culprit)
app.command("list")(list_runs)
app.command()(status)
app.command()(show)
app.command()(transcripts)
app.command()(verify)
app.command()(init)
app.command()(doctor)
app.command()(demo)
app.command()(agents)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"loop {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop."),
    ] = False,
) -> None:
    """Finds, explains, repairs and proves regressions of a running system, unattended."""


def main() -> None:
    """Run the command; every error of ours is one message on standard error and its own exit code."""
    keep_places()
    try:
        app()
    except LoopError as error:
        _leave(error)
    except OSError as error:
        ours = disk_error(error)
        if ours is None:
            raise
        _leave(ours)
    except BaseExceptionGroup as group:
        found = [_ours(error) for error in _leaves(group)]
        known = [error for error in found if error is not None]
        if len(known) < len(found):
            raise
        _leave(known[0])


def _leave(error: LoopError) -> NoReturn:
    say_last(sys.stderr, f"loop: {error}")
    sys.exit(error.exit_code)


def _ours(error: BaseException) -> LoopError | None:
    """A message for `error`; None when it is a mistake of our own that nobody foresaw."""
    if isinstance(error, OSError):
        return disk_error(error)
    return error if isinstance(error, LoopError) else None


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
