"""`loop approve` and `loop reject`: a person decides about what a paused run would do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from goldenpath_loop.cli.person import person
from goldenpath_loop.errors import UsageError

__all__ = ["approve", "reject"]

_Run = Annotated[str | None, typer.Argument(help="Run id, its beginning, or a path; default: the newest.")]
_Key = Annotated[
    str | None,
    typer.Option(
        help="Which effect, when the run waits for several; a part of its key is enough.", show_default=False
    ),
]
_Reason = Annotated[str, typer.Option(help="Why; it stands in the log.")]
_Runs = Annotated[Path | None, typer.Option(help="Folder of all runs.", show_default=False)]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def approve(
    run: _Run = None, key: _Key = None, reason: _Reason = "", runs: _Runs = None, as_json: _Json = False
) -> None:
    """Let a paused run do what it waits for; `loop resume` then goes on with it."""
    _decide(run, key, reason, runs, as_json, approved=True)


def reject(
    run: _Run = None, key: _Key = None, reason: _Reason = "", runs: _Runs = None, as_json: _Json = False
) -> None:
    """Forbid a paused run what it waits for; `loop resume` then goes on without it."""
    _decide(run, key, reason, runs, as_json, approved=False)


def _decide(
    run: str | None, key: str | None, reason: str, runs: Path | None, as_json: bool, *, approved: bool
) -> None:
    from goldenpath_loop.cli.runs import runs_folder
    from goldenpath_loop.core.approval import waiting_for
    from goldenpath_loop.core.past import Past
    from goldenpath_loop.records.events import ApprovalDecided
    from goldenpath_loop.session.folder import find_run
    from goldenpath_loop.session.session import Session

    folder = find_run(runs_folder(runs), run)
    past = Past()
    with Session(folder, listeners=[past.see]) as session:
        waiting = [one for one in waiting_for(past.state) if key is None or key in one]
        if not waiting:
            raise UsageError(f"{folder.id} waits for no decision", advice="`loop status` says how it stands.")
        if len(waiting) > 1:
            raise UsageError(
                f"{folder.id} waits for {len(waiting)} decisions", advice=f"Say --key: {', '.join(waiting)}."
            )
        session.append(ApprovalDecided(key=waiting[0], approved=approved, by=person(), reason=reason))
    word = "approved" if approved else "rejected"
    if as_json:
        typer.echo(json.dumps({"run": folder.id, "key": waiting[0], "approved": approved, "by": person()}))
    else:
        typer.echo(f"{word} {waiting[0]} in the name of {person()}; `loop resume {folder.id}` goes on")
