"""An entry that a table lacks, made in the manner of its neighbours."""

from __future__ import annotations

import ast
import builtins
import difflib
import re
from collections.abc import Iterator

from tests.model_server.behaviours.text_edits import Source, Splice

__all__ = ["missing_entries"]


def missing_entries(tree: ast.Module, source: Source, error: str) -> Iterator[Splice]:
    """Entries for the key that a KeyError names, for each table that could hold it; then keys spelt alike."""
    try:
        key = ast.literal_eval(error.partition(": ")[2])
    except (SyntaxError, ValueError):
        return
    for table in _tables(tree, key):
        for value, imports in _values(table, key, tree, source):
            yield _entry(table, key, value, imports, source)
    yield from _respelt(tree, key, source)


def _tables(tree: ast.Module, key: object) -> list[ast.Dict]:
    """Literals of at least one entry whose keys are of the key's type, the most alike first."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and node.keys:
            keys = [one.value for one in node.keys if isinstance(one, ast.Constant)]
            if (
                len(keys) == len(node.keys)
                and all(type(one) is type(key) for one in keys)
                and key not in keys
            ):
                found.append(node)
    top = {id(node.value) for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)}
    return sorted(found, key=lambda node: (id(node) not in top, -len(node.keys)))


def _values(
    table: ast.Dict, key: object, tree: ast.Module, source: Source
) -> Iterator[tuple[str, tuple[tuple[int, int, str], ...]]]:
    """Values for a new entry, those that follow the naming of a neighbour first."""
    pairs = [
        (one.value, source.segment(value))
        for one, value in zip(table.keys, table.values, strict=True)
        if isinstance(one, ast.Constant)
    ]
    known = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | _defined(tree)
    patterned, plain = [], []
    for sibling, text in reversed(pairs):
        made = _in_the_manner(text, sibling, key)
        if made == text:
            plain.append(text)
            continue
        names = {node.id for node in ast.walk(ast.parse(made, mode="eval")) if isinstance(node, ast.Name)}
        unknown = names - known - set(dir(builtins))
        imports = tuple(_imported(name, text, tree, source) for name in sorted(unknown))
        patterned.append((not unknown, made, tuple(one for one in imports if one)))
    patterned.sort(key=lambda one: not one[0])
    for _, made, imports in patterned:
        yield made, imports
    for text in sorted(dict.fromkeys(plain), key=plain.count, reverse=True):
        yield text, ()


def _defined(tree: ast.Module) -> set[str]:
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    aliases = (
        alias
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom | ast.Import)
        for alias in node.names
    )
    return names | {(alias.asname or alias.name).partition(".")[0] for alias in aliases}


def _in_the_manner(text: str, sibling: object, key: object) -> str:
    """A neighbour's value with its key's name replaced in every spelling."""
    if not (isinstance(sibling, str) and isinstance(key, str)):
        return text.replace(str(sibling), str(key))
    made = text
    for old, new in zip(_spellings(sibling), _spellings(key), strict=True):
        if len(old) > 1 and old in made:
            made = made.replace(old, new)
            if old.lower() not in made.lower():
                break
    try:
        ast.parse(made, mode="eval")
    except SyntaxError:
        return text
    return made


def _spellings(name: str) -> list[str]:
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", name) if part] or [name]
    camel = "".join(part[:1].upper() + part[1:] for part in parts)
    return [
        name, "_".join(parts), "-".join(parts), "_".join(parts).upper(), camel, " ".join(parts),
        " ".join(parts).capitalize(), " ".join(parts).title(), "".join(parts), ".".join(parts),
    ]  # fmt: skip


def _imported(name: str, sibling: str, tree: ast.Module, source: Source) -> tuple[int, int, str] | None:
    """The change that imports `name` from where the neighbour's value comes from."""
    used = {node.id for node in ast.walk(ast.parse(sibling, mode="eval")) if isinstance(node, ast.Name)}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) in used and name not in [one.name for one in node.names]:
                    at = source.line_start(alias.end_lineno or alias.lineno) + (alias.end_col_offset or 0)
                    return at, at, f", {name}"
    return None


def _entry(
    table: ast.Dict, key: object, value: str, imports: tuple[tuple[int, int, str], ...], source: Source
) -> Splice:
    last = table.values[-1]
    first = next(one for one in table.keys if one is not None)
    quoted = f'"{key}"' if isinstance(key, str) and '"' not in key and "\\" not in key else repr(key)
    at = source.end_of(last)
    gap = ", " if first.lineno == table.lineno else ",\n" + " " * first.col_offset
    new = f"{gap}{quoted}: {value}"
    return Splice(
        at, at, new, last.lineno, f"the table in line {table.lineno} has an entry {quoted}", imports
    )


def _respelt(tree: ast.Module, key: object, source: Source) -> Iterator[Splice]:
    """The looked-up key in the spelling that stands elsewhere in the file."""
    if not isinstance(key, str):
        return
    nodes = [
        node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    others = sorted({node.value for node in nodes if isinstance(node.value, str)} - {key})
    looked_up = [node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    for other in difflib.get_close_matches(key, others, n=2, cutoff=0.75):
        for node in looked_up:
            if isinstance(node, ast.Constant) and node.value == key:
                why = f"the key in line {node.lineno} is {other!r}"
                yield Splice(source.start_of(node), source.end_of(node), f'"{other}"', node.lineno, why)
