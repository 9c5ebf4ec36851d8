"""Repair templates: small changes of one function or table that classical repair programs try."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.model_server.behaviours.places import Function, Place, function_at
from tests.model_server.behaviours.tables import missing_entries
from tests.model_server.behaviours.text_edits import Source, Splice

__all__ = ["Candidate", "candidates"]

_SWAPS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">", ">="),
    ast.LtE: ("<", ">=", ">"),
    ast.Gt: (">=", "<", "<="),
    ast.GtE: (">", "<=", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
}
_OPERATOR = re.compile(rb"<=|>=|==|!=|<|>|is\s+not|not\s+in|is|in")
_NONE = re.compile(r"'NoneType' object|NoneType")


@dataclass(frozen=True, order=True)
class Candidate:
    """A file with one change; what is tried first sorts first."""

    rank: int
    distance: int
    path: str
    text: str
    why: str


def candidates(path: str, text: str, place: Place, error: str) -> list[Candidate]:
    """Changes at a place, likeliest first; `error` is the line that names the exception, or empty."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    source = Source(text)
    around = function_at(tree, place)
    found: list[tuple[int, Splice]] = []
    if error.startswith("KeyError"):
        found += [(0, one) for one in missing_entries(tree, source, error)]
    if around is not None:
        if _NONE.search(error):
            found += [(0, one) for one in _guards(around, tree, source, place.line)]
        none_rank = 1 if _NONE.search(error) else 4
        found += [(none_rank, one) for one in _returns(around, source)]
        found += [(2, one) for one in _comparisons(around, source)]
        found += [(3, one) for one in _constants(around, source)]
        found += [(4, one) for one in _lacking_guards(around, tree, source)]
    else:
        nodes = [one for one in tree.body if one.lineno <= place.line <= (one.end_lineno or 0)]
        found += [(3, splice) for one in nodes for splice in _constants(one, source)]
    made = []
    for rank, splice in found:
        changed = source.with_splice(splice)
        if changed == text or not _parses(changed):
            continue
        distance = abs(splice.line - place.line) if place.line else splice.line
        made.append(Candidate(rank, distance, path, changed, splice.why))
    return sorted(
        dict.fromkeys(made), key=lambda one: (one.rank if one.rank < 2 else 2, one.distance, one.rank)
    )


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _comparisons(around: ast.AST, source: Source) -> Iterator[Splice]:
    """Each comparison with another operator."""
    nodes = [node for node in ast.walk(around) if isinstance(node, ast.Compare)]
    for turn in range(3):
        for node in nodes:
            sides = [node.left, *node.comparators]
            for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
                others = _SWAPS[type(operator)]
                if turn >= len(others):
                    continue
                start, end = source.end_of(left), source.start_of(right)
                match = _OPERATOR.search(source.data, start, end)
                if match:
                    why = f"the comparison in line {node.lineno} is `{others[turn]}`"
                    yield Splice(match.start(), match.end(), others[turn], node.lineno, why)


def _constants(around: ast.AST, source: Source) -> Iterator[Splice]:
    """Each whole number one higher and one lower."""
    for node in ast.walk(around):
        if isinstance(node, ast.Constant) and type(node.value) is int:
            for value in (node.value + 1, node.value - 1):
                new = str(value) if value >= 0 else f"({value})"
                why = f"the number in line {node.lineno} is {value} instead of {node.value}"
                yield Splice(source.start_of(node), source.end_of(node), new, node.lineno, why)


def _returns(around: Function, source: Source) -> Iterator[Splice]:
    """The last value that is computed is given back."""
    last = around.body[-1]
    if isinstance(last, ast.Expr) and not isinstance(last.value, ast.Constant | ast.Yield | ast.YieldFrom):
        at = source.start_of(last)
        yield Splice(at, at, "return ", last.lineno, f"{around.name} gives back what its last line computes")
    if isinstance(last, ast.Return | ast.Raise):
        return
    names = [
        target.id
        for node in ast.walk(around)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    ]
    for name in reversed(list(dict.fromkeys(names))):
        at = source.line_end(last.end_lineno or last.lineno)
        indent = " " * last.col_offset
        why = f"{around.name} gives back {name} at its end"
        yield Splice(at, at, f"{indent}return {name}\n", last.end_lineno or last.lineno, why)


def _guards(around: Function, tree: ast.Module, source: Source, line: int) -> Iterator[Splice]:
    """A guard before the statement that took None for a value."""
    statements = [
        node
        for node in ast.walk(around)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0) and node is not around
    ]
    if not statements:
        return
    statement = max(statements, key=lambda node: node.lineno)
    in_loop = any(isinstance(node, ast.For | ast.While | ast.AsyncFor) for node in statements)
    at, indent = source.line_start(statement.lineno), " " * statement.col_offset
    uses = [node.value for node in ast.walk(statement) if isinstance(node, ast.Attribute | ast.Subscript)]
    for name in dict.fromkeys(ast.unparse(one) for one in uses if isinstance(one, ast.Name | ast.Attribute)):
        bodies = [*_bodies_for(name, tree, source), *(["continue"] if in_loop else []), "return None"]
        for body in dict.fromkeys(bodies):
            guard = f"{indent}if {name} is None:\n{indent}    {body}\n"
            yield Splice(at, at, guard, statement.lineno, f"None is caught before line {statement.lineno}")


def _bodies_for(name: str, tree: ast.AST, source: Source) -> list[str]:
    """What other places of the file do when this name is None."""
    return [
        source.segment(node.body[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and _guarded(node.test) == name and len(node.body) == 1
    ]


def _guarded(test: ast.expr) -> str:
    """The name that a test asks to be None or empty."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return ast.unparse(test.operand)
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is) and len(test.ops) == 1:
        return ast.unparse(test.left) if ast.unparse(test.comparators[0]) == "None" else ""
    return ""


def _lacking_guards(around: Function, tree: ast.Module, source: Source) -> Iterator[Splice]:
    """Guards that follow an assignment in other functions of the file and are missing here."""
    here = {_guarded(node.test) for node in ast.walk(around) if isinstance(node, ast.If)}
    for node in ast.walk(around):
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
            continue
        name = node.targets[0].id
        if name in here:
            continue
        at, indent = source.line_end(node.end_lineno or node.lineno), " " * node.col_offset
        for body in dict.fromkeys(_bodies_for(name, tree, source)):
            guard = f"{indent}if {name} is None:\n{indent}    {body}\n"
            yield Splice(at, at, guard, node.lineno, f"{name} is looked at as elsewhere in the file")
