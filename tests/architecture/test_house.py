"""The house keeps its floors, its rooms stay small, and what is public is meant to be."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import goldenpath_loop
from goldenpath_loop.core.phases import diagram

PACKAGE = Path(goldenpath_loop.__file__).parent
ROOT = PACKAGE.parent
_FOREIGN = (PACKAGE / "demo" / "target", PACKAGE / "suites" / "plugin", PACKAGE / "suites" / "tracer")
"""Code that runs in other people's interpreters and does not belong to the package."""

SOFT_CAP, HARD_CAP, LONGEST_FUNCTION = 350, 600, 70


def modules() -> list[Path]:
    """Every module of the package."""
    found = sorted(PACKAGE.rglob("*.py"))
    return [path for path in found if not any(path.is_relative_to(folder) for folder in _FOREIGN)]


def shown(path: Path) -> str:
    """Its place, as a person says it."""
    return path.relative_to(PACKAGE).as_posix()


def dotted(path: Path) -> str:
    """Its name, as Python says it."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def tree(path: Path) -> ast.Module:
    """The module's syntax."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def test_a_module_imports_its_own_floor_and_those_below() -> None:
    """Every import contract of pyproject.toml is kept."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("path", modules(), ids=shown)
def test_a_public_module_says_what_it_offers(path: Path) -> None:
    """`__all__` is there, every name in it resolves, none is private, and the docstring opens the file."""
    module = tree(path)
    docstring = ast.get_docstring(module)
    assert docstring, "no docstring"
    assert len(docstring.splitlines()[0]) > 10
    public = [
        node.name
        for node in module.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
    ]
    if path.name == "__main__.py" or not public:
        return
    loaded = importlib.import_module(dotted(path))
    offered = loaded.__all__
    assert len(offered) == len(set(offered))
    assert all(hasattr(loaded, name) for name in offered)
    assert not [name for name in offered if name.startswith("_") and not name.startswith("__")]
    assert set(public) <= set(offered), "public, and not offered"


def test_no_module_is_too_long() -> None:
    """Around three hundred lines it wants to be two."""
    sizes = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {name: size for name, size in sizes.items() if size > HARD_CAP} == {}
    assert {name: size for name, size in sizes.items() if size > SOFT_CAP} == {}


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many lines it has, its docstring left out."""
    first, last = function.body[0], function.body[-1]
    said = (
        first.value.value if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) else None
    )
    docstring = (first.end_lineno or 0) - first.lineno + 1 if isinstance(said, str) else 0
    return (last.end_lineno or 0) - function.lineno + 1 - docstring


def test_no_function_is_too_long() -> None:
    """What does not fit on a screen is not read."""
    long = {
        f"{shown(path)}:{node.name}": lines_of(node)
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines_of(node) > LONGEST_FUNCTION
    }
    assert long == {}


_BANNED_CALLS = {"print", "breakpoint", "eval", "exec", "__import__"}


def test_nothing_is_printed_evaluated_or_left_from_debugging() -> None:
    """People are spoken to through the command line's own doors."""
    found = [
        f"{shown(path)}:{node.lineno} {node.func.id}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _BANNED_CALLS
    ]
    assert found == []


def test_no_error_is_swallowed_wholesale() -> None:
    """No bare `except`, and whoever catches everything raises it again."""
    found = [
        f"{shown(path)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "BaseException"))
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    ]
    assert found == []


_CATCH_ALLS = {"utils", "util", "helpers", "helper", "manager", "misc", "common", "tools"}


def test_every_module_has_one_reason_to_exist() -> None:
    """A name that fits everything says nothing."""
    assert [shown(path) for path in modules() if path.stem in _CATCH_ALLS] == []


def test_nothing_of_a_machine_is_written_down() -> None:
    """No home folders, no absolute places of the machine it was written on."""
    texts = [*modules(), *ROOT.glob("*.md"), *ROOT.glob("agents/*"), *ROOT.glob("prompts/*")]
    found = [
        f"{path.name}: {place}"
        for path in texts
        for place in ("/work/", "/home/", "/Users/", "/root/")
        if place in path.read_text(encoding="utf-8")
    ]
    assert found == []


def test_the_package_offers_its_version_and_nothing_else() -> None:
    """Everything else is imported from where it lives."""
    assert goldenpath_loop.__all__ == ["__version__"]


def test_the_readme_draws_the_table_as_it_is() -> None:
    """The diagram is made from the code; a change of the table changes the README."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{diagram()}\n```" in readme


def test_core_knows_no_clock_no_chance_and_no_waiting() -> None:
    """Beyond its imports: nothing asynchronous, and no time but the one that is passed in."""
    pure = [
        path for path in modules() if path.relative_to(PACKAGE).parts[0] in ("core", "records", "science")
    ]
    assert pure
    found = [
        f"{shown(path)}:{node.lineno}"
        for path in pure
        for node in ast.walk(tree(path))
        if isinstance(node, ast.AsyncFunctionDef | ast.Await)
        or (
            (isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today", "monotonic"))
            and not (isinstance(node.value, ast.Name) and node.value.id in ("scene", "self"))
        )
    ]
    assert found == []
