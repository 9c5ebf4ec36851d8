"""The line on which each key of a TOML text stands; the standard parser does not say."""

from __future__ import annotations

import tomllib
from bisect import bisect_left
from contextlib import suppress

__all__ = ["KeyPath", "dotted", "key_lines"]

KeyPath = tuple[str | int, ...]
"""Where a value stands: table and key names, and for elements of lists their number from 0."""

_BARE_END = ",]}#\n"
_SPACE = " \t\r"


def dotted(path: KeyPath) -> str:
    """`path` as people write it: `services.auth.probes.0.kind`."""
    return ".".join(str(part) for part in path)


def key_lines(text: str) -> dict[KeyPath, int]:
    """Line, from 1, of every table, key and list element of `text`.

    Works on text that `tomllib` accepts. On any other text it says what it found up to the first place it
    does not understand, and never raises ValueError.

    Raises:
        RecursionError: Lists or inline tables are nested deeper than the interpreter allows.
    """
    scanner = _Scanner(text)
    with suppress(_LostError):
        scanner.document()
    return scanner.lines


class _LostError(Exception):
    """The text is not TOML at this place."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._newlines = [index for index, letter in enumerate(text) if letter == "\n"]
        self._lengths: dict[KeyPath, int] = {}
        self.lines: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        self._skip(_SPACE + "\n")
        while self._at < len(self._text):
            if self._text.startswith("[[", self._at):
                table = self._header(2)
            elif self._text[self._at] == "[":
                table = self._header(1)
            else:
                self._pair(table)
            self._skip(_SPACE + "\n")

    def _header(self, brackets: int) -> KeyPath:
        line = self._line()
        self._at += brackets
        names = self._key()
        self._expect("]" * brackets)
        path: KeyPath = ()
        for name in names[:-1]:
            path = self._current((*path, name))
            self.lines.setdefault(path, line)
        path = (*path, names[-1])
        if brackets == 1:
            path = self._current(path)
        else:
            self.lines.setdefault(path, line)
            number = self._lengths.get(path, 0)
            self._lengths[path] = number + 1
            path = (*path, number)
        self.lines[path] = line
        return path

    def _current(self, path: KeyPath) -> KeyPath:
        """The table that `path` means now: of a list of tables it is the latest."""
        return (*path, self._lengths[path] - 1) if path in self._lengths else path

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        path = table
        for name in self._key():
            path = (*path, name)
            self.lines.setdefault(path, line)
        self._expect("=")
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> list[str]:
        names: list[str] = []
        while True:
            self._skip(_SPACE)
            start = self._at
            if self._peek() in ('"', "'"):
                self._string()
                # Escapes in quoted names are rare; the parser that knows them all reads the one name.
                try:
                    names.extend(tomllib.loads(f"{self._text[start : self._at]} = 0"))
                except ValueError as error:
                    raise _LostError from error
            else:
                while self._peek().isascii() and (self._peek().isalnum() or self._peek() in ("_", "-")):
                    self._at += 1
                if self._at == start:
                    raise _LostError
                names.append(self._text[start : self._at])
            self._skip(_SPACE)
            if self._peek() != ".":
                return names
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        opening = self._peek()
        if opening in ('"', "'"):
            self._string()
        elif opening == "[":
            self._list(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            while self._peek() and self._peek() not in _BARE_END:
                self._at += 1

    def _list(self, path: KeyPath) -> None:
        self._at += 1
        number = 0
        while True:
            self._skip(_SPACE + "\n")
            if self._peek() == "]":
                self._at += 1
                return
            element = (*path, number)
            self.lines[element] = self._line()
            before = self._at
            self._value(element)
            self._skip(_SPACE + "\n")
            if self._peek() == ",":
                self._at += 1
            elif self._peek() != "]" or self._at == before:
                raise _LostError
            number += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while True:
            self._skip(_SPACE + "\n")
            if self._peek() == "}":
                self._at += 1
                return
            self._pair(path)
            self._skip(_SPACE + "\n")
            if self._peek() == ",":
                self._at += 1
            elif self._peek() != "}":
                raise _LostError

    def _string(self) -> None:
        quote = self._peek()
        triple = self._text.startswith(quote * 3, self._at)
        closing = quote * 3 if triple else quote
        self._at += len(closing)
        while not self._text.startswith(closing, self._at):
            if self._at >= len(self._text) or (not triple and self._text[self._at] == "\n"):
                raise _LostError
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        self._at += len(closing)
        # Up to two quotes may stand directly before the closing three.
        while triple and self._peek() == quote:
            self._at += 1

    def _skip(self, letters: str) -> None:
        while self._at < len(self._text):
            if self._text[self._at] in letters:
                self._at += 1
            elif self._text[self._at] == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                return

    def _expect(self, token: str) -> None:
        self._skip(_SPACE)
        if not self._text.startswith(token, self._at):
            raise _LostError
        self._at += len(token)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _line(self) -> int:
        return bisect_left(self._newlines, self._at) + 1
