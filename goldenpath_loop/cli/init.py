"""`loop init`: a first goldenpath.toml from what the checkout shows."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import anyio
import typer

from goldenpath_loop.cli.checkout import branch_of, remote_of, top_of
from goldenpath_loop.config.first_draft import first_draft, to_fill_in
from goldenpath_loop.config.load import CONFIG_NAME
from goldenpath_loop.config.look_around import Surroundings, look_around
from goldenpath_loop.core.wording import counted
from goldenpath_loop.errors import UsageError, WorldError

__all__ = ["init"]


def init(
    directory: Annotated[Path, typer.Argument(help="A folder of the checkout to configure.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Replace a goldenpath.toml that is there.")] = False,
    print_only: Annotated[bool, typer.Option("--print", help="Show the file instead of writing it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say what was found as JSON.")] = False,
) -> None:
    """Look around a checkout and write a first goldenpath.toml at its top.

    Exit codes: 0 written or shown; 2 not in a git repository, or the file is already there.
    """
    top, found = anyio.run(_look, directory)
    target = top / CONFIG_NAME
    text = first_draft(found)
    if not print_only:
        _write(target, text, replace=force)
    if as_json:
        report = {
            "file": str(target),
            "written": not print_only,
            "found": asdict(found),
            "to_fill_in": to_fill_in(found),
        }
        typer.echo(json.dumps(report | ({"text": text} if print_only else {}), indent=2))
    elif print_only:
        typer.echo(text, nl=False)
    else:
        for line in _told(found):
            typer.echo(line)
        typer.echo(f"\nWrote {target}. To fill in:")
        for item in to_fill_in(found):
            typer.echo(f"  - {item}")
        typer.echo("Then: loop doctor")


async def _look(directory: Path) -> tuple[Path, Surroundings]:
    top = await top_of(directory)
    remote = await remote_of(top)
    return top, look_around(top, branch=await branch_of(top, remote), remote=remote)


def _write(target: Path, text: str, *, replace: bool) -> None:
    try:
        # Exclusive creation decides, so that a file that appears meanwhile is not lost.
        with target.open("w" if replace else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(
            "the file is already there",
            where=str(target),
            advice="--force replaces it, --print only shows a new one",
        ) from error
    except OSError as error:
        raise WorldError(f"cannot be written: {error.strerror or error}", where=str(target)) from error


def _told(found: Surroundings) -> list[str]:
    lines = [f"Found in {found.name}:", f"  branch {found.branch}, remote {found.remote}"]
    if found.python:
        lines.append(f"  interpreter {found.python}")
    lines.append(f"  packages: {', '.join(found.packages) or 'none'}")
    lines.append(f"  tests: {', '.join(found.tests) or 'none'}; {counted(found.suites, 'suite')}")
    if found.markers:
        lines.append(f"  markers: {', '.join(found.markers)}")
    if found.index:
        lines.append(f"  test index {found.index.path}: {len(found.index.rows)} rows")
        lines += [f"    not used: {problem}" for problem in found.index.problems]
    if found.services:
        named = (f"{service.name} ({service.port or 'no port'})" for service in found.services)
        lines.append(f"  services in {found.compose_file}: {', '.join(named)}")
    if found.npm_test:
        lines.append(f"  package.json test script: {found.npm_test}")
    return lines
