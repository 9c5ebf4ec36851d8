"""Where a value of the configuration came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from goldenpath_loop.config.position import KeyPath, dotted

__all__ = ["Origin", "Places"]


@dataclass(frozen=True, slots=True)
class Origin:
    """A file and line, an environment variable, or neither: then the value is the default."""

    file: str = ""
    line: int = 0
    """From 1; 0 when the file is known and the line is not."""
    variable: str = ""

    def __str__(self) -> str:
        if self.variable:
            return f"environment {self.variable}"
        if self.file:
            return f"{self.file}:{self.line}" if self.line else self.file
        return "default"


@dataclass(frozen=True, slots=True)
class Places:
    """Origin of every key that somebody wrote down."""

    file: str
    prefix: KeyPath
    """Where the configuration begins in the file: `("tool", "goldenpath")` in pyproject.toml."""
    lines: Mapping[KeyPath, int]
    """Lines of the whole file."""
    elsewhere: Mapping[KeyPath, Origin] = field(default_factory=dict)
    """Keys and tables that were not written in the file; these come first."""

    def origin(self, path: KeyPath) -> Origin:
        """Origin of the value at `path`, default when nobody wrote it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.elsewhere:
                return self.elsewhere[path[:length]]
        line = self.lines.get((*self.prefix, *path))
        return Origin() if line is None else Origin(self.file, line)

    def nearest(self, path: KeyPath) -> Origin:
        """Origin of `path`, or of the innermost table around it that was written."""
        for length in range(len(path), -1, -1):
            origin = self.origin(path[:length])
            if origin != Origin():
                return origin
        return Origin(self.file)

    def where(self, path: KeyPath) -> str:
        """Place and key for a message: `goldenpath.toml:12: services.auth.prot`."""
        origin = self.nearest(path)
        if origin.variable:
            return str(origin)
        key = dotted((*self.prefix, *path) if origin.file == self.file else path)
        return f"{origin}: {key}" if key else str(origin)
