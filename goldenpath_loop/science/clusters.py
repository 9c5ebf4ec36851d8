"""Group the failures of a run by what looks like one cause."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from goldenpath_loop.records.base import SuiteName
from goldenpath_loop.records.findings import Cluster
from goldenpath_loop.records.results import Signature, TestResult
from goldenpath_loop.science.signature import mask, places, signature_of

__all__ = ["THRESHOLD", "cluster"]

THRESHOLD = 0.6
"""Failures whose link weighs at least this much are taken for one cause."""

_EXCEPTION, _MESSAGE, _FRAMES, _FILE = 0.2, 0.3, 0.35, 0.15

_WITHOUT_PLACE = 0.8
"""Weight of the message where neither failure has a place in the code under test."""
_ROUTE_WEIGHT, _IDLE_WEIGHT = 2.0, 0.2
_APART, _TELLING_WORDS = 0.15, 3.0
"""Messages of one place that share less than this, and have words of such weight each, are of two causes."""

_ROUTE = re.compile(r"(?<![\w/:.<])/(?:[\w.{}~-]|<\w+>)+(?:/(?:[\w.{}~-]|<\w+>)+)*/?(?![\w:])")
_PLACEHOLDER = re.compile(r"<\w+>")
_WORD = re.compile(r"\w+")
_IDLE = frozenset({"assert", "status", "code", "get", "post", "put", "patch", "delete", "head", "options"})
_STATUS = re.compile(r"(?<![\w.])[345][0-9]{2}(?![\w.]*[0-9])")
_TEST_CODE = re.compile(
    r"(?:^|/)(?:tests?|testing|e2e|specs?)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.\w+$|\.(?:spec|test)\.\w+$"
)


@dataclass(frozen=True, slots=True, order=True)
class _Profile:
    """What two failures are compared by; equal profiles are one node."""

    exception: str
    place: str
    message: str
    file: str
    frames: tuple[str, ...]


class _Node:
    """A profile made ready for comparison."""

    def __init__(self, profile: _Profile) -> None:
        self.profile = profile
        self.words = _words(profile.message)
        self.statuses = frozenset(_STATUS.findall(profile.message))
        # The innermost frame says most; each frame further out half as much.
        self.frames: dict[str, float] = {}
        for depth, frame in enumerate(reversed(profile.frames)):
            self.frames.setdefault(frame, 0.5**depth)

    @property
    def is_telling(self) -> bool:
        """Whether the words alone can stand for a cause: `assert 3 == 4` may be said of anything."""
        weights = [weight for weight in self.words.values() if weight >= 1]
        return sum(weights) >= _TELLING_WORDS or _ROUTE_WEIGHT in weights

    @property
    def has_key(self) -> bool:
        """Whether the place can stand for a cause: in a test it only says where somebody looked."""
        return bool(self.profile.place) and not _TEST_CODE.search(self.profile.place.split("::")[0])


def _overlap(left: Mapping[str, float], right: Mapping[str, float]) -> float:
    names = left.keys() | right.keys()
    if not names:
        return 0.0
    shared = sum(min(left.get(name, 0.0), right.get(name, 0.0)) for name in names)
    return shared / sum(max(left.get(name, 0.0), right.get(name, 0.0)) for name in names)


def _words(message: str) -> dict[str, float]:
    """What a message speaks of, by weight: a route is one thing, and what was masked is nothing."""
    routes = _ROUTE.findall(message)
    rest = _PLACEHOLDER.sub(" ", _ROUTE.sub(" ", message))
    words = {word: _IDLE_WEIGHT if _is_idle(word) else 1.0 for word in _WORD.findall(rest)}
    return words | dict.fromkeys(routes, _ROUTE_WEIGHT)


def _is_idle(word: str) -> bool:
    return word.isdigit() or word.lower() in _IDLE


def _tell_apart(left: _Node, right: _Node) -> bool:
    """Whether two failures of one place speak of different things."""
    return left.is_telling and right.is_telling and _overlap(left.words, right.words) < _APART


def _link(left: _Node, right: _Node) -> float:
    a, b = left.profile, right.profile
    if left.has_key and (a.exception, a.place) == (b.exception, b.place):
        return 0.0 if _tell_apart(left, right) else 1.0
    alike = _overlap(left.words, right.words) if left.words or right.words else 1.0
    if not left.has_key and not right.has_key and left.is_telling and right.is_telling:
        # A place in a test only says where somebody looked, so it is the words that tell.
        return (1 - _WITHOUT_PLACE) * (a.exception == b.exception) + _WITHOUT_PLACE * alike
    return (
        _EXCEPTION * (a.exception == b.exception)
        + _MESSAGE * alike
        + _FRAMES * _overlap(left.frames, right.frames)
        + _FILE * (a.file == b.file)
    )


class _Groups:
    """Union-find whose groups never hold failures with HTTP statuses that contradict each other."""

    def __init__(self, nodes: Sequence[_Node]) -> None:
        self._parents = list(range(len(nodes)))
        self._statuses = [node.statuses for node in nodes]

    def root(self, index: int) -> int:
        while self._parents[index] != index:
            self._parents[index] = self._parents[self._parents[index]]
            index = self._parents[index]
        return index

    def unite(self, one: int, other: int) -> None:
        low, high = sorted((self.root(one), self.root(other)))
        seen, added = self._statuses[low], self._statuses[high]
        if seen and added and seen.isdisjoint(added):
            return
        self._parents[high] = low
        self._statuses[low] = seen | added


@dataclass(frozen=True, slots=True)
class _Member:
    suite: SuiteName
    result: TestResult
    signature: Signature
    profile: _Profile

    @property
    def order(self) -> tuple[bool, float, str, SuiteName, _Profile]:
        """Quick to reproduce first; a timeout is never quick, whatever it took until it was cut off."""
        return (
            self.result.outcome == "timeout",
            self.result.duration_s,
            self.result.id,
            self.suite,
            self.profile,
        )


def _signature(result: TestResult) -> Signature:
    if result.signature is not None:
        return result.signature
    if result.failure is not None:
        return signature_of(result.failure)
    return Signature(
        exception="Timeout" if result.outcome == "timeout" else "Unknown",
        place="",
        message=mask(result.reason),
    )


def _members(results: Iterable[tuple[SuiteName, TestResult]]) -> list[_Member]:
    members = []
    for suite, result in results:
        if result.outcome not in ("red", "timeout"):
            continue
        signature = _signature(result)
        frames = places(result.failure) if result.failure is not None else ()
        profile = _Profile(
            exception=signature.exception,
            place=signature.place,
            message=signature.message,
            file=result.id.split("::")[0],
            frames=frames or ((signature.place,) if signature.place else ()),
        )
        members.append(_Member(suite, result, signature, profile))
    return sorted(members, key=lambda member: member.order)


def _groups(profiles: Sequence[_Profile]) -> list[int]:
    """The group of each profile, as the index of its first member."""
    nodes = [_Node(profile) for profile in profiles]
    links = [
        (weight, one, other)
        for one, other in combinations(range(len(nodes)), 2)
        if (weight := _link(nodes[one], nodes[other])) >= THRESHOLD - 1e-9
    ]
    groups = _Groups(nodes)
    for _, one, other in sorted(links, key=lambda link: (-link[0], link[1], link[2])):
        groups.unite(one, other)
    return [groups.root(index) for index in range(len(nodes))]


def cluster(results: Iterable[tuple[SuiteName, TestResult]]) -> tuple[Cluster, ...]:
    """Group red tests and timeouts by likely cause; everything else is left out.

    Failures of one type in one function of the code under test are one cause. Otherwise a weighted link
    decides: exception, words of the masked message, frames, test file. Different HTTP error statuses keep
    apart what would be joined. The answer does not depend on the order of `results`.

    Returns:
        Clusters with ids `K1`, `K2`, ..., most tests first, then by the name of their first test. The tests
        of a cluster are ordered by how quickly they reproduce it: the first one stands for the others.
    """
    members = _members(results)
    profiles = sorted({member.profile for member in members})
    group_of = dict(zip(profiles, _groups(profiles), strict=True))
    grouped: dict[int, list[_Member]] = {}
    for member in members:
        grouped.setdefault(group_of[member.profile], []).append(member)
    drafts = [
        (
            tuple(dict.fromkeys(member.result.id for member in group)),
            tuple(sorted({member.suite for member in group})),
            group[0].signature,
        )
        for group in grouped.values()
    ]
    drafts.sort(key=lambda draft: (-len(draft[0]), draft[0], draft[2].key, draft[2].message))
    return tuple(
        Cluster(id=f"K{number}", signature=signature, suites=suites, tests=tests)
        for number, (tests, suites, signature) in enumerate(drafts, start=1)
    )
