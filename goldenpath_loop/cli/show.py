"""`loop show`: a whole run event by event, or one record of it down to the tests' own words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldenpath_loop.errors import UsageError

if TYPE_CHECKING:
    from goldenpath_loop.records.line import Line
    from goldenpath_loop.session.store import EvidenceStore

__all__ = ["show"]


def show(
    run: Annotated[
        str | None, typer.Argument(help="Run id, its beginning, or a path; default: the newest.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Argument(
            help="Evidence E17, finding F2, verdict V3, cluster K1, remedy R1, or the key of an effect.",
            show_default=False,
        ),
    ] = None,
    evidence: Annotated[
        str | None, typer.Option(help="Print this evidence, like the argument E17.", show_default=False)
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print events as an array; with a reference those that it rests on."),
    ] = False,
    runs: Annotated[Path | None, typer.Option(help="Folder of all runs.", show_default=False)] = None,
) -> None:
    """Show everything that happened in a run, rejected findings included."""
    from rich.console import Console

    from goldenpath_loop.cli.runs import runs_folder
    from goldenpath_loop.review.story import story_lines
    from goldenpath_loop.session.folder import find_run
    from goldenpath_loop.session.session import load

    if evidence is not None and reference is not None:
        raise UsageError("one reference at a time", advice="Leave out --evidence or the second argument.")
    lines, store = load(find_run(runs_folder(runs), run))
    wanted = evidence or reference
    if wanted is not None:
        _show_record(list(lines), store, wanted, as_json=as_json)
    elif as_json:
        typer.echo(_events(lines))
    else:
        console = Console()
        for text in story_lines(lines):
            console.print(text, soft_wrap=True, markup=False, highlight=False)


def _show_record(lines: list[Line], store: EvidenceStore, wanted: str, *, as_json: bool) -> None:
    from goldenpath_loop.core.lineage import lineage
    from goldenpath_loop.review.reading import read_lines
    from goldenpath_loop.review.record_text import (
        evidence_text,
        lineage_text,
        record_text,
        resolved,
        similar,
    )

    reading = read_lines(lines)
    name = resolved(reading.state, wanted)
    told = record_text(reading, name)
    if not told:
        near = ", ".join(similar(reading, wanted)) or "`loop show RUN` lists everything there is"
        raise UsageError(f"the run has no record called {wanted}", advice=f"There is: {near}.")
    ancestors = lineage(lines, name)
    if as_json:
        numbers = {one.seq for one in ancestors}
        typer.echo(_events(line for line in lines if line.seq in numbers))
        return
    if name in reading.evidence:
        found = reading.evidence[name]
        typer.echo(evidence_text(found, store.get(found.digest)))
        return
    for text in told:
        typer.echo(text)
    below = ancestors[1:]
    typer.echo("\nrests on:" if below else "\nrests on nothing else in the log")
    for text in lineage_text(below):
        typer.echo(text)


def _events(lines: Iterable[Line]) -> str:
    """Events as the log has them: envelope and payload."""
    from goldenpath_loop.session.line import record_of

    return json.dumps([record_of(line) for line in lines], indent=2, ensure_ascii=False)
