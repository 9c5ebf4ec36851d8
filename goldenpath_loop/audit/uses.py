"""Where a file leans on names of other modules. Pure.

Seen are imports, attributes of imported modules (`auth.login` after `from chat import auth`), and what tests patch by
name. What stands below `except ImportError` or behind `hasattr` counts on the name being absent, and is not seen.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from goldenpath_loop.audit.bindings import bound_names

__all__ = ["Use", "uses_of"]

_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSION = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_IMPORT_GUARDS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_ATTRIBUTE_GUARDS = frozenset({"AttributeError"})
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


@dataclass(frozen=True, slots=True)
class Use:
    """One place that leans on a module, or on a name in one."""

    kind: Literal["import", "attribute", "text"]
    line: int
    level: int
    """Dots before the module: 0 for an import from the top."""
    module: str
    parts: tuple[str, ...]
    """What is taken from the module: for `auth.session.close` after `import auth` these are `session`, `close`."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where we are while walking down."""

    caught: frozenset[str] = frozenset()
    """Exceptions that somebody around is ready for."""
    hidden: frozenset[str] = frozenset()
    """Names that a function around uses for something of its own."""


_Origin = tuple[int, str]


def uses_of(tree: ast.Module) -> Iterator[Use]:
    """Everything the file takes from other modules, in no particular order."""
    imported = _imported(tree)
    waiting: list[tuple[ast.AST, _Place]] = [(tree, _Place())]
    while waiting:
        node, place = waiting.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            if place.caught.isdisjoint(_IMPORT_GUARDS):
                yield from _by_import(node)
            continue
        if place.caught.isdisjoint(_ATTRIBUTE_GUARDS):
            if isinstance(node, ast.Attribute):
                yield from _by_attribute(node, imported, place)
            elif isinstance(node, ast.Call):
                yield from _by_text(node, imported, place)
        waiting += _inside(node, place)


def _imported(tree: ast.Module) -> dict[str, _Origin]:
    """Module that each imported name may stand for; names that stand for several are left out."""
    found: dict[str, set[_Origin]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.split(".", 1)[0]
                found.setdefault(name, set()).add((0, alias.name if alias.asname else name))
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                module = f"{node.module}.{alias.name}" if node.module else alias.name
                found.setdefault(alias.asname or alias.name, set()).add((node.level, module))
    return {name: next(iter(origins)) for name, origins in found.items() if len(origins) == 1}


def _by_import(node: ast.Import | ast.ImportFrom) -> Iterator[Use]:
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield Use("import", node.lineno, 0, alias.name, ())
        else:
            parts = () if alias.name == "*" else (alias.name,)
            yield Use("import", node.lineno, node.level, node.module or "", parts)


def _by_attribute(node: ast.Attribute, imported: dict[str, _Origin], place: _Place) -> Iterator[Use]:
    found = _chain(node, imported, place)
    if found is None:
        return
    (level, module), parts = found
    # Setting an attribute does not need it to be there.
    parts = parts if isinstance(node.ctx, ast.Load) else parts[:-1]
    if parts:
        yield Use("attribute", node.lineno, level, module, parts)


def _chain(
    node: ast.expr, imported: dict[str, _Origin], place: _Place
) -> tuple[_Origin, tuple[str, ...]] | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in imported or node.id in place.hidden:
        return None
    return imported[node.id], tuple(reversed(parts))


def _by_text(node: ast.Call, imported: dict[str, _Origin], place: _Place) -> Iterator[Use]:
    """`patch("chat.auth.login")`, `patch.object(auth, "login")`, `getattr(auth, "login")`."""
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if not node.args or any(keyword.arg in ("create", "raising") for keyword in node.keywords):
        return
    first, second = node.args[0], node.args[1] if len(node.args) > 1 else None
    if called in ("patch", "setattr", "delattr") and isinstance(first, ast.Constant):
        if isinstance(first.value, str) and _DOTTED.fullmatch(first.value):
            yield Use("text", node.lineno, 0, "", tuple(first.value.split(".")))
    elif called in ("object", "setattr", "delattr") or (called == "getattr" and len(node.args) == 2):
        found = _chain(first, imported, place)
        if found and isinstance(second, ast.Constant) and isinstance(second.value, str):
            (level, module), parts = found
            yield Use("attribute", node.lineno, level, module, (*parts, second.value))


def _inside(node: ast.AST, place: _Place) -> Iterator[tuple[ast.AST, _Place]]:
    """The node's children, each with what holds around it."""
    guarded: list[ast.stmt] = []
    within = place
    match node:
        case ast.Try(body=guarded, handlers=handlers) | ast.TryStar(body=guarded, handlers=handlers):
            caught = {name for one in handlers for name in _named(one.type)}
            within = _Place(place.caught | caught, place.hidden)
        case ast.With(body=guarded, items=items) | ast.AsyncWith(body=guarded, items=items):
            calls = [item.context_expr for item in items if isinstance(item.context_expr, ast.Call)]
            within = _Place(
                place.caught | {name for call in calls for name in _ready_for(call)}, place.hidden
            )
        case ast.If(body=guarded, test=test) if _asks_for_attribute(test):
            within = _Place(place.caught | _ATTRIBUTE_GUARDS, place.hidden)
        case ast.IfExp(test=test) | ast.BoolOp(values=[test, *_]) if _asks_for_attribute(test):
            place = _Place(place.caught | _ATTRIBUTE_GUARDS, place.hidden)
        case _:
            place = _Place(place.caught, place.hidden | _own_names(node))
    yield from ((child, within) for child in guarded)
    skipped = set(map(id, guarded))
    # The inner parts of `a.b.c` were seen with it.
    inner = isinstance(node, ast.Attribute) and isinstance(node.value, (ast.Attribute, ast.Name))
    if not (inner and _is_plain(node)):
        yield from ((child, place) for child in ast.iter_child_nodes(node) if id(child) not in skipped)


def _is_plain(node: ast.AST) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _named(caught: ast.expr | None) -> set[str]:
    if caught is None:
        return {"BaseException"}
    one = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return {each.id if isinstance(each, ast.Name) else getattr(each, "attr", "") for each in one}


def _ready_for(call: ast.Call) -> set[str]:
    """`contextlib.suppress(ImportError)`, `pytest.raises(AttributeError)`."""
    return {name for argument in call.args for name in _named(argument) if name.endswith("Error")}


def _asks_for_attribute(test: ast.expr) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "hasattr"
        for node in ast.walk(test)
    )


def _own_names(node: ast.AST) -> set[str]:
    """Names that mean something else inside the node than outside."""
    if isinstance(node, (*_FUNCTION, ast.Lambda)):
        arguments = node.args
        listed = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        names = {one.arg for one in (*listed, arguments.vararg, arguments.kwarg) if one is not None}
        if isinstance(node, ast.Lambda):
            return names
        shared = {
            name
            for one in ast.walk(node)
            if isinstance(one, (ast.Global, ast.Nonlocal))
            for name in one.names
        }
        return (names | bound_names(node.body, by_import=False)) - shared
    if isinstance(node, _COMPREHENSION):
        return bound_names([one.target for one in node.generators])
    return set()
