"""`loop doctor`: whether a run could start here, and what stands in its way."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import anyio
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from goldenpath_loop.cli.check import Check
from goldenpath_loop.cli.checkup import check_git, checks
from goldenpath_loop.config.load import find_config, load
from goldenpath_loop.config.problems import UnusableConfigurationError
from goldenpath_loop.errors import ConfigurationError

__all__ = ["doctor"]

_SIGNS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "problem": ("problem", "red")}


def doctor(
    config: Annotated[
        Path | None, typer.Option("--config", help="The configuration to check; found by looking upwards.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Check everything a run needs, without changing anything. Each configured model is asked three tiny questions.

    Exit codes: 0 no problem (warnings do not count); 3 at least one problem.
    """
    found = anyio.run(_examine, config, dict(os.environ))
    counts = Counter(check.state for check in found)
    if as_json:
        typer.echo(
            json.dumps({"ok": not counts["problem"], "checks": [asdict(check) for check in found]}, indent=2)
        )
    else:
        _show(found)
    if counts["problem"]:
        raise typer.Exit(ConfigurationError.exit_code)


async def _examine(config: Path | None, environ: Mapping[str, str]) -> list[Check]:
    git = await check_git()
    path = config or find_config(Path.cwd())
    if path is None:
        advice = "`loop init` writes one"
        message = "there is no goldenpath.toml here or above, and no [tool.goldenpath] in a pyproject.toml"
        return [git, Check("configuration", "problem", message, advice)]
    try:
        loaded = load(path, environ=environ)
    except UnusableConfigurationError as error:
        said = error.problems
        return [git, *(Check("configuration", "problem", f"{p.where}: {p.message}", p.advice) for p in said)]
    except ConfigurationError as error:
        return [git, Check("configuration", "problem", f"{error.where}: {error.message}", error.advice)]
    found = [git, Check("configuration", "ok", str(loaded.path))]
    if git.state == "problem" and not loaded.demo:
        return found
    return found + [check async for check in checks(loaded, environ=environ)]


def _show(found: list[Check]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for check in found:
        sign, colour = _SIGNS[check.state]
        text = Text(check.message)
        if check.advice:
            text.append(f"\n{check.advice}", style="dim")
        table.add_row(Text(sign, style=colour), Text(check.name), text)
    Console().print(table)
