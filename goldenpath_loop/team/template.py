"""Prompts as templates that fill in declared inputs and can do nothing else."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from goldenpath_loop.errors import ConfigurationError, InternalError

__all__ = ["check_template", "render"]

_FENCE = re.compile(r"<<<+|>>>+")
_SEEN = re.compile(r"[!-~]+")
"""What of a line can be told from nothing at a glance."""


def check_template(text: str, *, inputs: Collection[str], where: str, agent: str) -> None:
    """Make sure that `text` is a template that uses its agent's inputs, all of them and no others.

    Args:
        text: The prompt.
        inputs: Names the agent declares.
        where: The prompt's file, for messages.
        agent: The agent's file, for messages.

    Raises:
        ConfigurationError: It is not.
    """
    try:
        tree = _environment().parse(text)
        _environment().from_string(text)
    except TemplateSyntaxError as error:
        raise ConfigurationError(
            f"not a template: {error.message or 'syntax error'}", where=f"{where}:{error.lineno}"
        ) from error
    except RecursionError as error:
        raise ConfigurationError("the template is nested too deeply", where=where) from error
    if any(True for _ in meta.find_referenced_templates(tree)):
        raise ConfigurationError("a prompt cannot include another file", where=where)
    used = meta.find_undeclared_variables(tree)
    for name in sorted(used - set(inputs)):
        raise ConfigurationError(
            f"uses `{name}`, which {agent} does not declare",
            where=f"{where}:{_line_of(text, name)}",
            advice="declared inputs: " + ", ".join(f"`{item}`" for item in sorted(inputs)),
        )
    for name in sorted(set(inputs) - used):
        raise ConfigurationError(f"declares the input `{name}`, which {where} never uses", where=agent)


def render(text: str, inputs: Mapping[str, str]) -> str:
    """`text` with `inputs` filled in; what is filled in is never read as a template.

    Prompts keep material apart between lines `<<<` and `>>>`; such a line in an input gets a bar before it.

    Raises:
        InternalError: The template needs something it was not given.
    """
    try:
        return (
            _environment().from_string(text).render({name: _fenced(value) for name, value in inputs.items()})
        )
    except TemplateError as error:
        raise InternalError(f"a prompt could not be filled in: {error}") from error


def _fenced(value: str) -> str:
    """`value` in which no line looks like a fence, whatever ends its lines and whatever it hides in them."""
    lines = value.splitlines(keepends=True)
    return "".join(f"| {one}" if _FENCE.fullmatch("".join(_SEEN.findall(one))) else one for one in lines)


def _environment() -> ImmutableSandboxedEnvironment:
    # No escaping: a prompt is text, not markup. The sandbox is for prompts that a project overrides.
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.clear()
    return environment


def _line_of(text: str, name: str) -> int:
    return next((number for number, line in enumerate(text.split("\n"), 1) if name in line), 1)
