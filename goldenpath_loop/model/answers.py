"""From what a model wrote to a validated record, or what is wrong with it in words it can use."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import ValidationError

from goldenpath_loop.records.agents import OUTPUTS, OutputName
from goldenpath_loop.records.base import Record

__all__ = ["parsed", "schema_of"]

_SHOWN = 5
_MOST_TRIES = 50
_BRACES_OUTSIDE_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"|[{}]', re.DOTALL)
_BEGINS_LIKE_JSON = re.compile(r'\{\s*["}]')


def schema_of(output: OutputName) -> dict[str, Any]:
    """JSON schema of the answers called `output`."""
    return OUTPUTS[output].model_json_schema()


def parsed(text: str, output: OutputName) -> Record | str:
    """The record in `text`, which may stand in a fence or between words; else why there is none."""
    begin, end, problem = _object(text)
    if problem:
        return problem
    try:
        return OUTPUTS[output].model_validate_json(text[begin:end])
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)[:_SHOWN]
        return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the object'}: {one['msg']}" for one in details)


def _object(text: str) -> tuple[int, int, str]:
    """Where the first JSON object begins and ends, or why there is none."""
    decoder = json.JSONDecoder()
    problem = "there is no JSON object in it"
    begin = text.find("{")
    for _ in range(_MOST_TRIES):
        if begin < 0:
            break
        try:
            return begin, decoder.raw_decode(text, begin)[1], ""
        except (ValueError, RecursionError) as error:
            problem = f"not JSON: {error}"
        closed = _closed(text, begin)
        if closed:
            # Braces that belong to the words around the object; what stands between them is no answer either.
            begin = text.find("{", closed)
        elif _BEGINS_LIKE_JSON.match(text, begin):
            break  # An object that was cut off: none of its parts may pass for the whole.
        else:
            begin = text.find("{", begin + 1)
    return 0, 0, problem


def _closed(text: str, begin: int) -> int:
    """The place after the brace that closes the one at `begin`; 0 when none does."""
    depth = 0
    for token in _BRACES_OUTSIDE_STRINGS.finditer(text, begin):
        depth += {"{": 1, "}": -1}.get(token.group(), 0)
        if not depth:
            return token.end()
    return 0
