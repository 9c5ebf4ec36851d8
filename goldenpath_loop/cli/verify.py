"""`loop verify`: is the record of a run still what was written?"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from goldenpath_loop.review.verification import Verification
from goldenpath_loop.review.wording import amount
from goldenpath_loop.system.plain import plain_line

__all__ = ["verify"]

_SHOWN = 20
_MAX_CHARS = 1000


def verify(
    run: Annotated[
        str | None, typer.Argument(help="Run id, its beginning, or a path; default: the newest.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    runs: Annotated[Path | None, typer.Option(help="Folder of all runs.", show_default=False)] = None,
) -> None:
    """Check a run's record again: the chain of its log, every piece of evidence, quote, reason and transcript.

    Ends with 0 when everything is as it was written, with 1 when anything is not.
    """
    from goldenpath_loop.cli.runs import runs_folder
    from goldenpath_loop.review import verification
    from goldenpath_loop.session.folder import find_run

    found = verification.verify(find_run(runs_folder(runs), run))
    if as_json:
        typer.echo(json.dumps({"is_true": found.is_true, **asdict(found)}, ensure_ascii=False))
    else:
        for line in _lines(found):
            typer.echo(line)
    raise typer.Exit(0 if found.is_true else 1)


def _lines(found: Verification) -> list[str]:
    if found.is_true:
        words = (
            f"{found.run} is as it was written: {found.events} events in one chain, {found.evidence} pieces of "
            f"evidence under their digests, {found.citations} quotes in place, {found.reasons} reasons of verdicts"
        )
        lines = [f"{words}, {amount(found.transcripts, 'transcript')}" if found.transcripts else words]
    else:
        lines = [f"{found.run} is not as it was written:"]
        told = (f"{one.what} {one.where}: {one.message}" for one in found.problems[:_SHOWN])
        lines += [f"  {plain_line(text, max_chars=_MAX_CHARS)}" for text in told]
        lines += [f"  and {len(found.problems) - _SHOWN} more"] if len(found.problems) > _SHOWN else []
    if found.torn_bytes:
        lines.append(
            f"note: {found.torn_bytes} bytes of a last line were never written whole; it was cut off there"
        )
    if found.unnamed:
        lines.append(f"note: {len(found.unnamed)} files among the evidence are not named in the log")
    return lines
