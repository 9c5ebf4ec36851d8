"""`loop agents`: who there is to ask, and whether the files fit together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from goldenpath_loop.config.load import checkout_of
from goldenpath_loop.team.load import OWN_FOLDER, load_team, packaged_folder

__all__ = ["agents"]


def agents(
    folder: Annotated[
        list[Path] | None,
        typer.Option("--folder", help="A folder with agents/ and prompts/ of your own; later ones win."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """List agent definitions and check them against their prompts.

    A checkout's own agents and prompts lie in `.goldenpath/` at its top and override those of the same name.

    Exit codes: 0 all of them fit; 3 a file cannot be used.
    """
    here = Path.cwd()
    team = load_team([packaged_folder(), (checkout_of(here) or here) / OWN_FOLDER, *(folder or [])])
    if as_json:
        listed = [spec.model_dump(mode="json") for spec in team.agents.values()]
        typer.echo(json.dumps({"agents": listed, "digests": dict(team.digests)}, indent=2))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for spec in team.agents.values():
        limits = spec.limits
        most = f"at most {limits.turns} turns, {limits.cost_usd:g} USD"
        details = f"answers with: {spec.output}; {spec.tier} model, {most}"
        table.add_row(Text(spec.name), Text(spec.purpose).append(f"\n{details}", style="dim"))
    Console().print(table)
