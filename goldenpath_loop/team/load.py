"""Reads agents and prompts, checks that they fit together, and says what exactly was read."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

import goldenpath_loop
from goldenpath_loop.errors import ConfigurationError, InternalError
from goldenpath_loop.records.agents import AgentSpec
from goldenpath_loop.team.template import check_template, render

__all__ = ["OWN_FOLDER", "Team", "agent_digests", "load_team", "packaged_folder", "team_of"]

OWN_FOLDER = ".goldenpath"
"""Where a checkout keeps agents and prompts of its own, in the same two folders."""

_AGENTS = "agents"
_PROMPTS = "prompts"


@dataclass(frozen=True, slots=True)
class Team:
    """Every agent there is, with its prompt."""

    agents: Mapping[str, AgentSpec]
    """By name, in order of names."""
    prompts: Mapping[str, str]
    """Text of each prompt in use, by file name."""
    digests: Mapping[str, str]
    """SHA-256 of each file in use: `agents/fixer.toml`, `prompts/fixer.md.j2`."""
    files: Mapping[str, Path]
    """Where each of those files lies."""

    def brief(self, agent: str, inputs: Mapping[str, str]) -> str:
        """The prompt of `agent` with its inputs filled in.

        Raises:
            KeyError: There is no such agent.
            InternalError: `inputs` are not exactly those the agent declares.
        """
        spec = self.agents[agent]
        if set(inputs) != set(spec.inputs):
            missing = ", ".join(sorted(set(spec.inputs) - set(inputs))) or "none"
            extra = ", ".join(sorted(set(inputs) - set(spec.inputs))) or "none"
            raise InternalError(f"agent {agent} was given wrong inputs: missing {missing}, too many {extra}")
        return render(self.prompts[spec.prompt], inputs)


def packaged_folder() -> Path:
    """The folder with the agents and prompts that come with the package.

    Raises:
        InternalError: The installation is incomplete.
    """
    inside = Path(str(resources.files(goldenpath_loop).joinpath("_data")))
    checkout = Path(goldenpath_loop.__file__).resolve().parent.parent
    for folder in (inside, checkout):
        if (folder / _AGENTS).is_dir() and (folder / _PROMPTS).is_dir():
            return folder
    raise InternalError("agents and prompts are missing from this installation", advice="install it again")


def load_team(folders: Sequence[Path]) -> Team:
    """Read `agents/*.toml` and `prompts/*.md.j2` of every folder; later folders override by file name.

    A folder may hold either of the two alone. An agent file names no phase: who calls it is code.

    Raises:
        ConfigurationError: A file cannot be read, has unknown or missing keys, or a prompt uses a variable
            its agent does not declare (or the other way round).
    """
    definitions = _files(folders, _AGENTS, "*.toml")
    templates = _files(folders, _PROMPTS, "*.md.j2")
    agents: dict[str, AgentSpec] = {}
    prompts: dict[str, str] = {}
    digests: dict[str, str] = {}
    files: dict[str, Path] = {}
    for file_name, path in sorted(definitions.items()):
        where = f"{_AGENTS}/{file_name}"
        content = _read(path, where)
        spec = _agent(content, where)
        if f"{spec.name}.toml" != file_name:
            raise ConfigurationError(
                f"the agent is called `{spec.name}`",
                where=where,
                advice=f"rename the file to {spec.name}.toml",
            )
        if spec.prompt not in templates:
            raise ConfigurationError(
                f"there is no prompt `{spec.prompt}`",
                where=where,
                advice=_nearest(spec.prompt, list(templates)),
            )
        prompt_where = f"{_PROMPTS}/{spec.prompt}"
        prompt = _read(templates[spec.prompt], prompt_where)
        check_template(_decoded(prompt, prompt_where), inputs=spec.inputs, where=prompt_where, agent=where)
        agents[spec.name] = spec
        prompts[spec.prompt] = _decoded(prompt, prompt_where)
        digests |= {where: _digest(content), prompt_where: _digest(prompt)}
        files |= {where: path, prompt_where: templates[spec.prompt]}
    if not agents:
        places = ", ".join(str(folder) for folder in folders)
        raise ConfigurationError(
            "there is no agent definition", where=places, advice="agents/NAME.toml is one"
        )
    return Team(
        MappingProxyType(agents),
        MappingProxyType(prompts),
        MappingProxyType(digests),
        MappingProxyType(files),
    )


def team_of(root: Path) -> Team:
    """The team for the checkout at `root`: what comes with the package, overridden by what it keeps itself.

    Raises:
        ConfigurationError: A file cannot be used.
    """
    return load_team([packaged_folder(), root / OWN_FOLDER])


def agent_digests(root: Path) -> dict[str, str]:
    """SHA-256 of every agent and prompt in use for the checkout at `root`, by file name.

    Raises:
        ConfigurationError: A file cannot be used.
    """
    return dict(team_of(root).digests)


def _files(folders: Sequence[Path], kind: str, pattern: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        found |= {path.name: path for path in (folder / kind).glob(pattern)}
    return found


def _read(path: Path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror or error}", where=where) from error


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError("is not UTF-8 text", where=where) from error


def _agent(content: bytes, where: str) -> AgentSpec:
    try:
        table = tomllib.loads(_decoded(content, where))
        # Strict validation takes lists for tuples in JSON mode only; what JSON lacks (dates) becomes text.
        return AgentSpec.model_validate_json(json.dumps(table, default=str), strict=True)
    except ValidationError as error:
        raise _explained(error, where) from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"not TOML: {error}", where=where) from error


def _explained(error: ValidationError, where: str) -> ConfigurationError:
    said: list[tuple[str, str]] = []
    for detail in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in detail["loc"])
        if detail["type"] == "extra_forbidden":
            advice = _nearest(str(detail["loc"][-1]), list(AgentSpec.model_fields))
            if "phase" in key:
                advice = "an agent names no phase; the phases name their agents"
            said.append((f"unknown key `{key}`", advice))
        elif detail["type"] == "missing":
            said.append((f"missing key `{key}`", ""))
        else:
            said.append((f"`{key}`: {detail['msg'][0].lower()}{detail['msg'][1:]}", ""))
    (message, advice), *others = said
    lines = [advice] if advice else []
    lines += [f"{other} ({more})" if more else other for other, more in others]
    return ConfigurationError(message, where=where, advice="\n  ".join(lines))


def _nearest(name: str, valid: list[str]) -> str:
    close = get_close_matches(name, valid, n=1)
    return f"did you mean `{close[0]}`?" if close else ""


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
