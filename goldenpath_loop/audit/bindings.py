"""Which names a piece of Python binds, and which other files can import. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

__all__ = ["bound_names", "is_open", "module_names"]

_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPE = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)


def module_names(tree: ast.Module) -> set[str]:
    """Names that the module has once it is loaded, whatever branch its top level takes."""
    names = bound_names(tree.body)
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            names.update(node.names)
    return names


def is_open(tree: ast.Module) -> bool:
    """Whether the module may have names that cannot be read off its text."""
    if any(isinstance(node, _FUNCTION) and node.name == "__getattr__" for node in tree.body):
        return True
    return any(
        isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
        for node in ast.walk(tree)
    )


def bound_names(nodes: Iterable[ast.AST], *, by_import: bool = True) -> set[str]:
    """Names that the nodes bind in their own scope.

    Args:
        nodes: Statements, or targets of an assignment.
        by_import: Whether imports count.
    """
    return {name for node in nodes for name in _bound(node, by_import)}


def _bound(node: ast.AST, by_import: bool) -> Iterator[str]:
    waiting: list[ast.AST] = [node]
    while waiting:
        one = waiting.pop()
        match one:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
                continue
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases) if by_import:
                yield from ((alias.asname or alias.name).split(".", 1)[0] for alias in aliases)
            case (
                ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
            ):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name
            case _:
                pass
        if not isinstance(one, _SCOPE):
            waiting += ast.iter_child_nodes(one)
