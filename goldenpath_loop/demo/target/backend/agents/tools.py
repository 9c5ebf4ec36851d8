"""The tools agents use."""

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ARITHMETIC = re.compile(r"\d[\d\s.+\-*/()]*[+\-*/][\d\s.+\-*/()]*\d|\d")

OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class ToolError(Exception):
    """A tool could not do what it was asked."""


@dataclass(frozen=True)
class Tool:
    """One tool: what it is for, and the function behind it."""

    purpose: str
    use: Callable[[str, list[str]], dict[str, Any]]


def evaluate(node: ast.expr) -> float:
    """The value of an arithmetic expression."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        try:
            return OPERATORS[type(node.op)](evaluate(node.left), evaluate(node.right))
        except ZeroDivisionError as error:
            raise ToolError("division by zero") from error
    raise ToolError("not an arithmetic expression")


def calculator(text: str, history: list[str]) -> dict[str, Any]:
    """Work out the first arithmetic expression in the text."""
    found = ARITHMETIC.search(text)
    if found is None:
        raise ToolError("there is nothing to work out")
    expression = found.group().strip()
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError as error:
        raise ToolError("not an arithmetic expression") from error
    return {"expression": expression, "value": evaluate(tree.body)}


def word_statistics(text: str, history: list[str]) -> dict[str, Any]:
    """Count words and characters."""
    words = text.split()
    longest = max(words, key=len, default="")
    return {"words": len(words), "characters": len(text), "longest": longest}


def thread_search(text: str, history: list[str]) -> dict[str, Any]:
    """Find earlier messages that share a word with the text."""
    wanted = {word.lower() for word in text.split() if len(word) > 3}
    hits = [line for line in history if wanted & {word.lower() for word in line.split()}]
    return {"searched": len(history), "hits": hits[-5:]}


TOOLS = {
    "calculator": Tool("works out arithmetic", calculator),
    "word_statistics": Tool("counts words and characters", word_statistics),
    "thread_search": Tool("finds earlier messages", thread_search),
}
