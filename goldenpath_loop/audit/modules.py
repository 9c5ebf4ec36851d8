"""Which file of a tree an import means. Pure.

A module is named by its path without `.py` or `/__init__.py`: its stem.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Modules", "stem_of"]


def stem_of(path: str) -> str:
    """`src/chat/auth.py` and `src/chat/auth/__init__.py` are both `src/chat/auth`."""
    return path.removesuffix(".py").removesuffix("/__init__")


class Modules:
    """The modules of a tree after a change, and those it had before.

    Args:
        after: Paths of all Python files after.
        before: Paths of changed Python files before.
    """

    def __init__(self, after: Iterable[str], before: Iterable[str]) -> None:
        # Sorted, so that a package wins over a module of the same name, as it does in Python.
        self._files = {stem_of(path): path for path in sorted(after, reverse=True)}
        self._folders = {
            "/".join(parts[:end])
            for parts in (stem.split("/") for stem in self._files)
            for end in range(1, len(parts))
        }
        self._by_tail: dict[str, list[str]] = {}
        for stem in sorted(self._files.keys() | {stem_of(path) for path in before}):
            self._by_tail.setdefault(stem.rsplit("/", 1)[-1], []).append(stem)

    def file_of(self, stem: str) -> str | None:
        """Path of a module after the change; None when it has no file."""
        return self._files.get(stem)

    def can_be_imported(self, stem: str) -> bool:
        """Whether there is a file, or a folder with Python files, of this name after the change."""
        return stem in self._files or stem in self._folders

    def meant(self, dotted: str, level: int, importer: str) -> tuple[str, ...]:
        """Stems that the module `dotted`, imported by the file `importer`, may stand for.

        Nobody tells us the path that Python searches, so an import from the top may mean any file whose path ends
        with it. One that begins at the top or below `src` is preferred; a bare `config` is anybody's, and means
        only one of those or one beside the importer.
        """
        path = dotted.replace(".", "/")
        if level:
            folder = importer.split("/")[:-level]
            stem = "/".join((*folder, path)) if path else "/".join(folder)
            return (stem,) if stem in self._by_tail.get(stem.rsplit("/", 1)[-1], ()) else ()
        known = self._by_tail.get(path.rsplit("/", 1)[-1], ())
        exact = tuple(stem for stem in known if stem in (path, f"src/{path}"))
        if exact:
            return exact
        if "/" not in path:
            beside = f"{importer.rpartition('/')[0]}/{path}"
            return tuple(stem for stem in known if stem == beside)
        return tuple(stem for stem in known if stem.endswith(f"/{path}"))
