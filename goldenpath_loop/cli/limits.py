"""`loop limits`: what a run may still use, and other limits for it while it runs or is paused."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldenpath_loop.cli.person import person
from goldenpath_loop.errors import LogError, UsageError

if TYPE_CHECKING:
    from goldenpath_loop.core.state import State
    from goldenpath_loop.records.policy import Limits
    from goldenpath_loop.session.folder import RunFolder

__all__ = ["limits"]

_LOOK_EVERY_S = 0.1
_ACKNOWLEDGED_WITHIN_S = 10.0
_SHORT = {"duration": "duration_s", "cost": "cost_usd"}
_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def limits(
    run: Annotated[
        str | None, typer.Argument(help="Run id, its beginning, or a path; default: the newest.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="cost=5, duration=6h, cycles=8, pull_requests=4, tokens=2000000, attempts=5."
        ),
    ] = None,
    runs: Annotated[Path | None, typer.Option(help="Folder of all runs.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show or change the limits of a run. What it used before counts against the new ones."""
    from goldenpath_loop.cli.runs import runs_folder
    from goldenpath_loop.core.limits import limits_of, used
    from goldenpath_loop.core.state import fold
    from goldenpath_loop.session.chain import read
    from goldenpath_loop.session.folder import find_run
    from goldenpath_loop.session.lock import is_held
    from goldenpath_loop.system import clock

    folder = find_run(runs_folder(runs), run)
    state = fold(read(folder.log))
    if state.started is None or state.started.policy is None:
        raise LogError("the run never had a configuration that could be used", where=str(folder.log))
    allowed = limits_of(state.started.policy, state)
    if changes:
        if state.finished is not None:
            raise UsageError(f"{folder.id} is finished", advice="Set [limits] and begin a new run.")
        allowed = _changed(allowed, changes)
        state = _set(folder, allowed)
    until = clock.now() if is_held(folder.log) or state.worked_at is None else state.worked_at
    spent = used(state, until)
    rows = {name: {"allowed": value, "used": spent.get(name)} for name, value in allowed.model_dump().items()}
    if as_json:
        typer.echo(json.dumps({"run": folder.id, "limits": rows}))
        return
    for name, row in rows.items():
        said = "for each failure" if row["used"] is None else f"{row['used']:g} used"
        typer.echo(f"{name:14} {row['allowed']:>10g}  {said}")


def _changed(old: Limits, changes: list[str]) -> Limits:
    from pydantic import ValidationError

    from goldenpath_loop.records.policy import Limits

    values: dict[str, object] = old.model_dump()
    for change in changes:
        name, is_given, text = change.partition("=")
        name = _SHORT.get(name.strip(), name.strip())
        if not is_given or name not in values:
            known = ", ".join((*_SHORT, *values))
            raise UsageError(f"there is no limit {change!r}", advice=f"NAME=VALUE with one of: {known}.")
        values[name] = _number(text.strip())
    try:
        return Limits.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise UsageError(f"{first['loc'][0]}: {first['msg']}") from error


def _number(text: str) -> float | str:
    found = _TIME.fullmatch(text)
    if found is not None:
        return float(found.group(1)) * _SECONDS[found.group(2)]
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() else value


def _set(folder: RunFolder, wanted: Limits) -> State:
    """Leave it to the engine that holds the run, or write it into the log of one that nobody holds."""
    from goldenpath_loop.cli.observed import Observed
    from goldenpath_loop.core.past import Past
    from goldenpath_loop.records.events import LimitsChanged
    from goldenpath_loop.session.lock import is_held
    from goldenpath_loop.session.requests import Request, ask
    from goldenpath_loop.session.session import Session

    if not is_held(folder.log):
        past = Past()
        with Session(folder, listeners=[past.see]) as session:
            if past.state.finished is not None:
                raise UsageError(f"{folder.id} is finished", advice="Set [limits] and begin a new run.")
            session.append(LimitsChanged(limits=wanted, by=person()))
        return past.state
    ask(folder, Request("limits", person(), wanted))
    observed = Observed(folder)
    give_up_at = time.monotonic() + _ACKNOWLEDGED_WITHIN_S
    while time.monotonic() < give_up_at:
        observed.look()
        if observed.state.limits == wanted:
            observed.settle()
            return observed.state
        time.sleep(_LOOK_EVERY_S)
    raise LogError(
        "the run did not acknowledge the new limits", where=str(folder.path), advice="Look at `loop status`."
    )
