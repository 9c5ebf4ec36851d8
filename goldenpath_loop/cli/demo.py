"""`loop demo`: write the built-in target somewhere to look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["demo"]


def demo(
    directory: Annotated[
        Path | None, typer.Argument(help="Where to write it; a folder that is empty or does not exist.")
    ] = None,
    scenario: Annotated[str, typer.Option(help="Which fault its history hides.")] = "websocket-route",
    list_scenarios: Annotated[bool, typer.Option("--list", help="Name the scenarios and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write the built-in target: a small chat platform with its history, tests and a bare origin."""
    from goldenpath_loop.demo import SCENARIOS, write_demo
    from goldenpath_loop.errors import UsageError

    if list_scenarios:
        if as_json:
            typer.echo(json.dumps({one.name: one.summary for one in SCENARIOS}))
        else:
            for one in SCENARIOS:
                typer.echo(f"{one.name:18} {one.summary}")
        return
    if directory is None:
        raise UsageError("a folder is missing", advice="`loop demo DIR` writes the target into DIR.")
    site = write_demo(directory, scenario)
    if as_json:
        typer.echo(json.dumps({"root": str(site.root), "origin": str(site.origin), "scenario": scenario}))
        return
    typer.echo(f"{site.root}: a checkout of {site.origin}")
    typer.echo(f"cd {site.root} && loop start --focus goldenpath")
