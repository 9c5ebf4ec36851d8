"""Answers cut to a JSON schema: what it does not know goes, what it needs and is missing is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["fit", "is_string", "item_of", "properties_of"]


def fit(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """`value` with the properties that `schema` knows, and empty ones where it needs more."""
    top = schema if root is None else root
    here = _resolved(schema, top, value)
    if isinstance(value, Mapping) and "properties" in here:
        known = here["properties"]
        fitted = {name: fit(value[name], known[name], top) for name in value if name in known}
        for name in here.get("required", ()):
            if name not in fitted:
                fitted[name] = _empty(known.get(name, {}), top)
        return fitted
    if isinstance(value, list | tuple):
        items = here.get("items", {})
        return [fit(one, items if isinstance(items, Mapping) else {}, top) for one in value]
    return value


def properties_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Properties of the outermost object."""
    found = _resolved(schema, schema, {}).get("properties", {})
    return dict(found)


def item_of(schema: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Schema of what the list called `name` holds; empty when there is no such list."""
    items = properties_of(schema).get(name, {}).get("items", {})
    return dict(_resolved(items, schema, {})) if isinstance(items, Mapping) else {}


def is_string(schema: Mapping[str, Any], name: str) -> bool:
    """Whether the outermost object has a string of this name."""
    return bool(properties_of(schema).get(name, {}).get("type") == "string")


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any], value: Any) -> Mapping[str, Any]:
    """The schema behind references, and the branch of a choice that suits the value."""
    while "$ref" in schema:
        target: Any = root
        for part in str(schema["$ref"]).lstrip("#/").split("/"):
            target = target.get(part, {})
        schema = target
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        branch = _resolved(choice, root, value)
        if isinstance(value, Mapping) and "properties" in branch:
            return branch
        if isinstance(value, list | tuple) and "items" in branch:
            return branch
    return schema


def _empty(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    if "default" in schema:
        return schema["default"]
    choices = schema.get("anyOf", ())
    if any(one.get("type") == "null" for one in choices):
        return None
    here = _resolved(schema, root, {})
    if "enum" in here:
        return here["enum"][0]
    if "properties" in here:
        return fit({}, here, root)
    kinds: dict[Any, Any] = {"array": [], "object": {}, "integer": here.get("minimum", 0), "number": 0.0}
    kinds |= {"boolean": False, "string": "none" if here.get("minLength") else "", "null": None}
    return kinds.get(here.get("type"), "")
