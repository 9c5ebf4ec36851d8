"""From what a model wrote to a validated record, or what is wrong with it in words it can use."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from goldenpath_loop.records.agents import OUTPUTS, OutputName
from goldenpath_loop.records.base import Record

__all__ = ["parsed", "schema_of"]

_SHOWN = 5


def schema_of(output: OutputName) -> dict[str, Any]:
    """JSON schema of the answers called `output`."""
    return OUTPUTS[output].model_json_schema()


def parsed(text: str, output: OutputName) -> Record | str:
    """The record in `text`, which may stand in a fence or between words; else why there is none."""
    found = _object(text)
    if isinstance(found, str):
        return found
    try:
        return OUTPUTS[output].model_validate_json(json.dumps(found))
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)[:_SHOWN]
        return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the object'}: {one['msg']}" for one in details)


def _object(text: str) -> dict[str, Any] | str:
    decoder = json.JSONDecoder()
    problem = "there is no JSON object in it"
    begin = text.find("{")
    while begin >= 0:
        try:
            value, _ = decoder.raw_decode(text, begin)
        except (json.JSONDecodeError, RecursionError) as error:
            problem = f"not JSON: {error}"
            # Braces before the object belong to the words around it; within it none helps.
            begin = text.find("\n{", begin)
            begin += begin >= 0
            continue
        return value if isinstance(value, dict) else "the JSON is no object"
    return problem
