"""Group the failures of a run by what looks like one cause."""

from __future__ import annotations

import re
from collections import Counter
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
_NAMED = 0.9
"""Weight of a failure that names the exception which another one is."""
_ROUTE_WEIGHT, _IDLE_WEIGHT = 2.0, 0.2
_APART, _TELLING_WORDS = 0.15, 3
"""Messages of one place that share less than this, and have so many words that name something, are of two causes."""

_ROUTE = re.compile(r"(?<![\w/:.<])/(?:[\w.{}~-]|<\w+>)+(?:/(?:[\w.{}~-]|<\w+>)+)*/?(?![\w:])")
_PLACEHOLDER = re.compile(r"<\w+>")
_WORD = re.compile(r"\w+")
# What pytest says of any comparison, and HTTP of any answer, names nothing.
_OF_PYTEST = frozenset({"assert", "where", "returned", "and", "not", "is", "in"})
_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
_OF_HTTP = frozenset({"http", "status", "code", "status_code", "response"})
_REASONS = frozenset(
    {"internal", "server", "error", "bad", "gateway", "service", "unavailable", "forbidden", "found"}
)
_IDLE = _OF_PYTEST | _METHODS | _OF_HTTP | _REASONS
_STATUS = re.compile(r"(?<![\w.])[345][0-9]{2}(?![\w.]*[0-9])")
_TEST_CODE = re.compile(
    r"(?:^|/)(?:tests?|testing|e2e|specs?)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.\w+$|\.(?:spec|test)\.\w+$"
)
_FIXTURES = re.compile(r"(?:^|/)conftest\.py$")


@dataclass(frozen=True, slots=True, order=True)
class _Profile:
    """What two failures are compared by; equal profiles are one node."""

    exception: str
    place: str
    message: str
    file: str
    frames: tuple[str, ...]


class _Node:
    """A profile made ready for comparison.

    Attributes:
        words: What the message speaks of, by weight.
        is_telling: Whether the words alone can stand for a cause: `assert 3 == 4` may be said of anything.
        says: The words that name something; without routes where the others are enough, because many routes lead
            to one cause.
        has_key: Whether the place can stand for a cause: in a test it only says where somebody looked. A fixture
            is named for what it makes.
    """

    def __init__(self, profile: _Profile) -> None:
        self.profile = profile
        self.words = _words(profile.message)
        self.statuses = frozenset(_STATUS.findall(profile.message))
        names = frozenset(word for word, weight in self.words.items() if weight == 1)
        routes = frozenset(word for word, weight in self.words.items() if weight == _ROUTE_WEIGHT)
        self.is_telling = bool(routes) or len(names) >= _TELLING_WORDS
        self.says = names if len(names) >= _TELLING_WORDS else names | routes
        path = profile.place.split("::")[0]
        self.has_key = bool(path) and (bool(_FIXTURES.search(path)) or not _TEST_CODE.search(path))
        # The innermost frame says most; each frame further out half as much.
        self.frames: dict[str, float] = {}
        for depth, frame in enumerate(reversed(profile.frames)):
            self.frames.setdefault(frame, 0.5**depth)


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


def _names(raised: _Node, seen: _Node) -> bool:
    """Whether `seen` tells of the exception that `raised` is, word for word, as the answer of a service does."""
    return (
        raised.has_key
        and not seen.has_key
        and bool(raised.says)
        and raised.says | {raised.profile.exception} <= seen.words.keys()
    )


def _named_links(nodes: Sequence[_Node]) -> list[tuple[float, int, int]]:
    """Links from a failure to the exception that it names, unless several places raised one like it."""
    links = []
    for at, seen in enumerate(nodes):
        raised = [other for other, node in enumerate(nodes) if _names(node, seen)]
        if len({nodes[other].profile.place for other in raised}) == 1:
            links += [(_NAMED, min(at, other), max(at, other)) for other in raised]
    return links


_Said = frozenset[tuple[str, frozenset[str]]]
"""Types of exception with the words that were said with them."""


def _settled(nodes: Sequence[_Node], tests: Sequence[int]) -> list[_Said]:
    """What each failure says, where two tests or more say it word for word: what still differs then is no noise."""
    heard: Counter[tuple[str, frozenset[str]]] = Counter()
    said = [(node.profile.exception, node.says) for node in nodes]
    for one, count in zip(said, tests, strict=True):
        heard[one] += count
    return [frozenset({one} if one[1] and heard[one] > 1 else ()) for one in said]


def _contradict(left: _Said, right: _Said) -> bool:
    """Whether one type of exception says on either side what the other never says."""
    return left.isdisjoint(right) and any(
        kind == other and words - others and others - words for kind, words in left for other, others in right
    )


class _Groups:
    """Union-find whose groups never hold failures that contradict each other: by HTTP status, or in settled words."""

    def __init__(self, nodes: Sequence[_Node], tests: Sequence[int]) -> None:
        self._parents = list(range(len(nodes)))
        self._statuses = [node.statuses for node in nodes]
        self._settled = _settled(nodes, tests)

    def root(self, index: int) -> int:
        while self._parents[index] != index:
            self._parents[index] = self._parents[self._parents[index]]
            index = self._parents[index]
        return index

    def unite(self, one: int, other: int) -> None:
        low, high = sorted((self.root(one), self.root(other)))
        seen, added = self._statuses[low], self._statuses[high]
        if low == high or (seen and added and seen.isdisjoint(added)):
            return
        if _contradict(self._settled[low], self._settled[high]):
            return
        self._parents[high] = low
        self._statuses[low] = seen | added
        self._settled[low] |= self._settled[high]


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


def _groups(profiles: Sequence[_Profile], tests: Sequence[int]) -> list[int]:
    """The group of each profile, as the index of its first member; `tests` failed in the way of each."""
    nodes = [_Node(profile) for profile in profiles]
    links = [
        (weight, one, other)
        for one, other in combinations(range(len(nodes)), 2)
        if (weight := _link(nodes[one], nodes[other])) >= THRESHOLD - 1e-9
    ]
    links += _named_links(nodes)
    groups = _Groups(nodes, tests)
    for _, one, other in sorted(links, key=lambda link: (-link[0], link[1], link[2])):
        groups.unite(one, other)
    return [groups.root(index) for index in range(len(nodes))]


def cluster(results: Iterable[tuple[SuiteName, TestResult]]) -> tuple[Cluster, ...]:
    """Group red tests and timeouts by likely cause; everything else is left out.

    Failures of one type in one function of the code under test are one cause, and so is the answer of a service
    that names that exception. Otherwise a weighted link decides: exception, words of the masked message, frames,
    test file. Different HTTP error statuses keep apart what would be joined, and so do different words that two
    tests each say alike: a cluster too many is joined again when one repair turns both green, but of two causes in
    one cluster only one is searched for. The answer does not depend on the order of `results`.

    Returns:
        Clusters with ids `K1`, `K2`, ..., most tests first, then by the name of their first test. The tests
        of a cluster are ordered by how quickly they reproduce it: the first one stands for the others.
    """
    members = _members(results)
    tests: dict[_Profile, set[str]] = {}
    for member in members:
        tests.setdefault(member.profile, set()).add(member.result.id)
    profiles = sorted(tests)
    groups = _groups(profiles, [len(tests[profile]) for profile in profiles])
    group_of = dict(zip(profiles, groups, strict=True))
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
