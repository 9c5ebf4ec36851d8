"""Names and modules that the change takes away while other files still use them. Pure.

Taking back a commit also takes back what it added, and what was written since may rest on that.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from goldenpath_loop.audit.bindings import bound_names, is_open, module_names
from goldenpath_loop.audit.modules import Modules, stem_of
from goldenpath_loop.audit.source import Tree, Version, parse, quote
from goldenpath_loop.audit.uses import Use, uses_of
from goldenpath_loop.records.receipts import AuditIssue

__all__ = ["LostNameRule"]


class LostNameRule:
    """Knows what the change takes away, and finds who misses it.

    Args:
        head: The tree after.
        before: Changed files before.
        after: Changed files after.
    """

    def __init__(self, head: Version, before: Mapping[str, Tree], after: Mapping[str, Tree]) -> None:
        self._head = head
        self._modules = Modules(head.modules, before)
        self._paths: dict[str, str] = {}
        """File of each module that lost something."""
        self._names: dict[str, set[str]] = {}
        """Names a module has no more."""
        self._gone: set[str] = set()
        """Modules that are no more."""
        had: dict[str, set[str]] = {}
        for path, tree in before.items():
            self._paths[stem_of(path)] = path
            if isinstance(tree, ast.Module):
                had.setdefault(stem_of(path), set()).update(module_names(tree))
        for stem, names in had.items():
            if not self._modules.can_be_imported(stem):
                self._gone.add(stem)
            elif lost := self._lost(stem, names, after):
                self._names[stem] = lost
        if self._names:
            self._follow_stars()

    def _lost(self, stem: str, had: set[str], after: Mapping[str, Tree]) -> set[str]:
        path = self._modules.file_of(stem)
        if path is None:
            return had
        tree = after[path] if path in after else parse(self._head.files[path])
        # What cannot be known is not held against the change; a file that is no Python has an issue of its own.
        if isinstance(tree, SyntaxError) or is_open(tree):
            return set()
        return had - module_names(tree)

    def _follow_stars(self) -> None:
        """What `from module import *` hands on is lost by the one who hands it on too."""
        handing = {path for path in self._head.modules if "import *" in self._head.files[path]}
        trees = {path: parse(self._head.files[path]) for path in sorted(handing)}
        waiting = list(self._names)
        while waiting:
            source = waiting.pop()
            for path, tree in trees.items():
                stem = stem_of(path)
                if isinstance(tree, SyntaxError) or stem == source or not self._takes_all(path, tree, source):
                    continue
                handed = {name for name in self._names[source] if not name.startswith("_")}
                fresh = handed - bound_names(tree.body) - self._names.get(stem, set())
                if fresh:
                    self._names.setdefault(stem, set()).update(fresh)
                    self._paths.setdefault(stem, path)
                    waiting.append(stem)

    def _takes_all(self, path: str, tree: ast.Module, source: str) -> bool:
        return any(
            isinstance(node, ast.ImportFrom)
            and any(alias.name == "*" for alias in node.names)
            and self._modules.meant(node.module or "", node.level, path) == (source,)
            for node in tree.body
        )

    def look_at(self, path: str, tree: ast.Module) -> Iterator[AuditIssue]:
        """What one file of the tree after misses: each thing once, where it is first used."""
        if not self._names and not self._gone:
            return
        told: dict[str, int] = {}
        for use in uses_of(tree):
            for message in self._missed(path, use):
                told[message] = min(use.line, told.get(message, use.line))
        text = self._head.files[path]
        for message, line in told.items():
            yield AuditIssue(rule="lost-name", path=path, line=line, message=message, quote=quote(text, line))

    def _missed(self, path: str, use: Use) -> Iterator[str]:
        """Of `a.b.c` any beginning may be the module, and what follows it the name."""
        for end in range(len(use.parts) + 1):
            dotted = ".".join((*([use.module] if use.module else ()), *use.parts[:end]))
            name = use.parts[end] if end < len(use.parts) else None
            stems = self._modules.meant(dotted, use.level, path) if dotted or use.level else ()
            # When it may also mean a module that is still whole, it is taken to mean that one.
            if not stems or stem_of(path) in stems or not all(self._lacks(stem, name) for stem in stems):
                continue
            source = self._paths[stems[0]]
            if stems[0] not in self._gone:
                verb = "imports" if use.kind == "import" else "uses"
                yield f"it {verb} {name}, which {source} does not have any more"
            elif use.kind != "attribute":
                # Attributes of a module that is gone are told where it is imported.
                yield f"it imports {source}, which is not there any more"

    def _lacks(self, stem: str, name: str | None) -> bool:
        if stem in self._gone:
            return not self._is_attribute(stem)
        if name is None or name not in self._names.get(stem, ()):
            return False
        return not self._modules.can_be_imported(f"{stem}/{name}")

    def _is_attribute(self, stem: str) -> bool:
        """Whether the package around a module that is gone has something else of that name."""
        folder, _, name = stem.rpartition("/")
        init = self._modules.file_of(folder) if folder else None
        tree = parse(self._head.files[init]) if init else None
        return isinstance(tree, ast.Module) and (is_open(tree) or name in module_names(tree))
