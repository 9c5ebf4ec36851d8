"""The tools an agent may call: their names, their arguments, their words. What they do is the engine's business."""

from __future__ import annotations

from types import MappingProxyType

from pydantic import Field, ValidationError

from goldenpath_loop.model.messages import ToolDefinition
from goldenpath_loop.records.agents import Edit, ToolName
from goldenpath_loop.records.base import Record

__all__ = [
    "ARGUMENTS",
    "CompareBaseline",
    "ListEvidence",
    "ProbeService",
    "ReadEvidence",
    "ReadHistory",
    "ReadSource",
    "SearchEvidence",
    "SearchSource",
    "ToolArguments",
    "TryPatch",
    "arguments_of",
    "definitions",
]

MOST_CHARS = 12_000


class ToolArguments(Record):
    """What a tool is called with."""


class ListEvidence(ToolArguments):
    """List all evidence of this run: id, kind, subject, size."""


class ReadEvidence(ToolArguments):
    """Read a piece of evidence, a page at a time."""

    id: str
    start: int = Field(default=0, ge=0, description="Byte to begin at.")
    length: int = Field(default=6000, ge=1, le=MOST_CHARS, description="Most bytes to return.")


class SearchEvidence(ToolArguments):
    """Find the lines of all evidence that hold a text, without regard to case."""

    text: str = Field(min_length=2)


class ReadSource(ToolArguments):
    """Read lines of a source file at the revision in question. The result is evidence and can be cited by its id."""

    path: str = Field(min_length=1)
    first: int = Field(default=1, ge=1, description="First line, from 1.")
    count: int = Field(default=200, ge=1, le=400)


class SearchSource(ToolArguments):
    """Find the lines of the source that hold a text."""

    text: str = Field(min_length=2)


class ReadHistory(ToolArguments):
    """Read history: the log of a path or of everything; one commit with its diff; or who last changed each line."""

    path: str = ""
    revision: str = Field(default="", description="A commit to show whole; empty for the log.")
    limit: int = Field(default=20, ge=1, le=100)
    blame: bool = Field(
        default=False, description="For each line of `path`, the commit that last changed it."
    )


class CompareBaseline(ToolArguments):
    """Compare results of tests with what earlier runs of this target saw."""

    text: str = Field(default="", description="Only tests whose id holds this.")


class ProbeService(ToolArguments):
    """Put the probes of one service again. The answers are evidence and can be cited."""

    service: str = Field(min_length=1)


class TryPatch(ToolArguments):
    """Run the failing tests on a worktree with a candidate patch. Its first line: green, red, or refused and why."""

    diff: str = Field(default="", description="A unified diff; or use edits.")
    edits: tuple[Edit, ...] = ()


ARGUMENTS: MappingProxyType[ToolName, type[ToolArguments]] = MappingProxyType(
    {
        "list_evidence": ListEvidence,
        "read_evidence": ReadEvidence,
        "search_evidence": SearchEvidence,
        "read_source": ReadSource,
        "search_source": SearchSource,
        "read_history": ReadHistory,
        "compare_baseline": CompareBaseline,
        "probe_service": ProbeService,
        "try_patch": TryPatch,
    }
)
"""What each tool takes."""


def definitions(names: tuple[ToolName, ...]) -> tuple[ToolDefinition, ...]:
    """The tools called `names`, as a model is told of them."""
    return tuple(
        ToolDefinition(name, (ARGUMENTS[name].__doc__ or "").strip(), ARGUMENTS[name].model_json_schema())
        for name in names
    )


def arguments_of(name: str, text: str, allowed: tuple[ToolName, ...]) -> ToolArguments | str:
    """What a call asks for, or what is wrong with it."""
    if name not in allowed:
        return f"there is no tool {name!r}; there are: {', '.join(allowed)}"
    kind = next(ARGUMENTS[one] for one in allowed if one == name)
    try:
        return kind.model_validate_json(text or "{}")
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)[:3]
        return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}" for one in details)
