"""One TOML table to one record, and what is wrong with it in the words of the person who wrote it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from goldenpath_loop.config.position import KeyPath
from goldenpath_loop.config.problems import nearest
from goldenpath_loop.records.base import Record

__all__ = ["TableProblem", "field_named", "keys_of", "read_table", "type_name"]

TableProblem = tuple[KeyPath, str, str]
"""Path of the key, message, advice."""

R = TypeVar("R", bound=Record)

_MAX_INTEGER = 2**63 - 1

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "none_required": "left out",
}


def read_table(model: type[R], table: Mapping[str, object]) -> tuple[R | None, list[TableProblem]]:
    """The record that `table` describes, or every problem with it.

    Types are not converted: `port = "80"` is a mistake, not 80.
    """
    # JSON mode is the one in which strict validation still takes lists for tuples and tables for records.
    try:
        return model.model_validate_json(json.dumps(_as_json(table)), strict=True), []
    except ValidationError as error:
        return None, [_explain(model, table, detail) for detail in error.errors(include_url=False)]


def keys_of(model: type[Record]) -> tuple[str, ...]:
    """Keys that a table for `model` may have, as they are written in the file."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


def field_named(model: type[Record], key: str) -> object:
    """Annotation of the field written as `key`; None when there is none."""
    for name, field in model.model_fields.items():
        if key == (field.alias or name):
            return field.annotation
    return None


def type_name(value: object) -> str:
    """What `value` is in TOML's terms. The value itself is never shown: it may be a secret."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "a whole number" if abs(value) <= _MAX_INTEGER else "a number that large"
    if isinstance(value, float):
        return "a number with a fraction" if math.isfinite(value) else "an infinite or undefined number"
    if isinstance(value, str):
        return "text" if value else "empty text"
    if isinstance(value, (datetime, date, time)):
        return "a date or time"
    return "a list" if isinstance(value, list) else "a table"


def _as_json(value: object) -> object:
    """`value` with null for whatever no key of the configuration takes: dates, infinity, huge numbers."""
    if isinstance(value, Mapping):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and abs(value) > _MAX_INTEGER:
        return None
    return value if isinstance(value, (str, int, float)) else None


def _explain(model: type[Record], table: object, detail: ErrorDetails) -> TableProblem:
    path: KeyPath = detail["loc"]
    kind = detail["type"]
    key = path[-1] if path else ""
    name = f"`{key}`" if isinstance(key, str) else f"element {key} of `{path[-2]}`"
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        owner = _model_at(model, path[:-1])
        return path, f"unknown key `{key}`", nearest(str(key), keys_of(owner)) if owner else ""
    if kind == "missing":
        return path, f"missing key {name}", ""
    value = _value_at(table, path)
    if kind == "literal_error":
        owner = _model_at(model, path[:-1])
        words = [str(word) for word in get_args(field_named(owner, str(key)) if owner else None)]
        if isinstance(value, str):
            return path, f"{name} cannot be `{value}`", nearest(value, words)
        return path, f"{name} must be text, not {type_name(value)}", nearest("", words)
    if kind in _EXPECTED:
        advice = ""
        if kind == "tuple_type" and isinstance(value, str):
            advice = f'write a list: {key} = ["..."]'
        return path, f"{name} must be {_EXPECTED[kind]}, not {type_name(value)}", advice
    bounds = {
        "greater_than": ("more than", "gt"),
        "greater_than_equal": ("at least", "ge"),
        "less_than": ("less than", "lt"),
        "less_than_equal": ("at most", "le"),
    }
    if kind in bounds:
        words_of, bound = bounds[kind]
        return path, f"{name} must be {words_of} {context.get(bound)}", ""
    if kind == "string_too_short":
        return path, f"{name} must not be empty", ""
    return path, f"{name}: {detail['msg']}", ""


def _model_at(model: type[Record], path: KeyPath) -> type[Record] | None:
    """The record type that the table at `path` below a `model` table describes."""
    found: type[Record] | None = model
    for part in path:
        if found is None:
            return None
        if isinstance(part, str):
            found = _record_in(field_named(found, part))
    return found


def _record_in(annotation: object) -> type[Record] | None:
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return annotation
    for part in get_args(annotation):
        found = _record_in(part)
        if found is not None:
            return found
    return None


def _value_at(table: object, path: KeyPath) -> object:
    for part in path:
        if isinstance(part, str) and isinstance(table, Mapping):
            table = table.get(part)
        elif isinstance(part, int) and isinstance(table, list):
            table = table[part]
    return table
