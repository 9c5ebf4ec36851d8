"""The text of one version of a tree, and what Python makes of it. Pure."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["TooDeep", "Tree", "Version", "parse", "quote"]


class TooDeep(SyntaxError):
    """Python may well read the file; this parser gives up on how deeply it is nested."""


Tree = ast.Module | SyntaxError


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the tree, as text by path."""

    files: Mapping[str, str]

    @property
    def modules(self) -> list[str]:
        """Paths of the Python files, in a stable order."""
        return sorted(path for path in self.files if path.endswith(".py"))


def parse(text: str) -> Tree:
    """The syntax tree of a file, or why it has none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the text's style, which is not ours to judge
            return ast.parse(text)
    except SyntaxError as error:
        return error
    except ValueError as error:  # a NUL byte
        return SyntaxError(str(error))
    except (RecursionError, MemoryError):
        return TooDeep("nested too deeply")


def quote(text: str, number: int) -> str:
    """Line `number` of the text, as an issue quotes it."""
    lines = text.splitlines()
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""
