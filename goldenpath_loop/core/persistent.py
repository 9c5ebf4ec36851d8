"""Persistent collections: a new version shares with the one before it what did not change.

A state is a value, and a long run makes hundreds of thousands of them. Copying every collection for each would take
time with the square of the run's length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import isqrt
from typing import Any, Generic, TypeVar, overload

__all__ = ["PersistentList", "PersistentMap"]

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

_LEAST_RECENT = 32


class PersistentMap(Mapping[K, V], Generic[K, V]):
    """A mapping in order of first insertion. `plus` takes time with the root of its size, reading one key none."""

    __slots__ = ("_old", "_recent", "_size")

    def __init__(self, items: Mapping[K, V] | None = None) -> None:
        self._old: dict[K, V] = dict(items or {})
        self._recent: dict[K, V] = {}
        self._size = len(self._old)

    def plus(self, key: K, value: V) -> PersistentMap[K, V]:
        """The same with `value` under `key`."""
        recent = {**self._recent, key: value}
        size = self._size if key in self else self._size + 1
        if len(recent) > max(_LEAST_RECENT, isqrt(size)):
            return PersistentMap({**self._old, **recent})
        new: PersistentMap[K, V] = PersistentMap.__new__(PersistentMap)
        new._old, new._recent, new._size = self._old, recent, size
        return new

    def __getitem__(self, key: K) -> V:
        return self._recent[key] if key in self._recent else self._old[key]

    def __contains__(self, key: object) -> bool:
        return key in self._recent or key in self._old

    def __iter__(self) -> Iterator[K]:
        yield from self._old
        yield from (key for key in self._recent if key not in self._old)

    def __len__(self) -> int:
        return self._size

    def __repr__(self) -> str:
        return f"PersistentMap({dict(self)!r})"


class PersistentList(Sequence[T], Generic[T]):
    """A sequence that grows at its end; `plus` takes the same time however long it is."""

    __slots__ = ("_items", "_size")

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._items = list(items)
        self._size = len(self._items)

    def plus(self, item: T) -> PersistentList[T]:
        """The same with `item` at its end."""
        new: PersistentList[T] = PersistentList.__new__(PersistentList)
        # Versions share one list as long as each grows from the latest; a second child of one version copies.
        new._items = self._items if len(self._items) == self._size else self._items[: self._size]
        new._items.append(item)
        new._size = self._size + 1
        return new

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...

    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        if isinstance(index, slice):
            return tuple(self._items[at] for at in range(*index.indices(self._size)))
        return self._items[range(self._size)[index]]

    def __iter__(self) -> Iterator[T]:
        return islice(self._items, self._size)

    def __reversed__(self) -> Iterator[T]:
        return (self._items[at] for at in range(self._size - 1, -1, -1))

    def __len__(self) -> int:
        return self._size

    def __eq__(self, other: Any) -> bool:
        if isinstance(other, PersistentList | tuple):
            return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))
        return NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"PersistentList({list(self)!r})"
