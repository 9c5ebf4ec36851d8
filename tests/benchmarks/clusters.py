"""How well failures are put together by cause, on hard mixes whose causes are known.

    python -m tests.benchmarks.clusters [--suites 200] [--seed 1]

Three mixes. The first, in this file: every suite has 4 to 10 causes and 1 to 6 failures of each, of seven kinds: an
error in one function that several tests reach by several ways; the same type with like words in another function; one
cause that surfaces as two types; two causes that surface in one shared function; end-to-end failures that only say
which status was expected, with method and route; end-to-end failures with the service's own error; time-outs. Words
are made noisy with ids, hosts, paths, numbers and times. The second, `failure_mix`, has the words of real Python
libraries; the clustering was improved on it. The third, `failure_mix_junit`, has those of other languages; nothing was
chosen by it.

Printed are B-cubed precision, recall and F1 (Bagga and Baldwin, 1998), and groups for each cause: of the exception type
alone, the crash line, the root-cause key, the loop's own clusters, and those after clusters that one repair turns green
together were joined; which repair cures which failure is taken as known.
"""

from __future__ import annotations

import argparse
import random
import statistics
import uuid
from collections import Counter
from collections.abc import Callable, Sequence

from goldenpath_loop.records.results import Failure, TestResult
from goldenpath_loop.science.clusters import cluster
from goldenpath_loop.science.signature import signature_of
from tests.benchmarks import failure_mix, failure_mix_junit
from tests.benchmarks.failure_mix import Known

_MODULES = ("cart", "orders", "users", "search", "export", "billing", "mail", "store", "events", "limits")
_TYPES = ("KeyError", "ValueError", "TypeError", "AttributeError", "AssertionError")
_WORDS = (
    "missing",
    "total",
    "token",
    "price",
    "address",
    "session",
    "quota",
    "status",
    "owner",
    "index",
    "page",
)
_ROUTES = ("/users/{}", "/orders/{}", "/cart", "/search", "/export/{}", "/login", "/events")


def noise(chance: random.Random) -> str:
    """Something that differs from run to run."""
    return chance.choice(
        (
            str(uuid.UUID(int=chance.getrandbits(128))),
            hex(chance.getrandbits(48)),
            f"127.0.0.1:{chance.randint(20000, 60000)}",
            f"/tmp/pytest-of-ci/pytest-{chance.randint(1, 99)}/x",
            f"2026-11-{chance.randint(1, 28):02}T10:{chance.randint(0, 59):02}:00Z",
            str(chance.randint(1000, 99999)),
        )
    )


class Suite:
    """Failures of one suite, cause by cause."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.known: list[Known] = []
        self._causes = 0

    def add(self, failure: Callable[[], Failure], *, count: int, cause: int | None = None) -> int:
        """`count` failures of a new cause, or of `cause`, in different tests."""
        if cause is None:
            self._causes += 1
            cause = self._causes
        for _ in range(count):
            said = failure()
            module = self.chance.choice(_MODULES)
            test = f"tests/test_{module}.py::test_{len(self.known)}"
            result = TestResult(
                id=test, outcome="red", failure=said, signature=signature_of(said), duration_s=0.1
            )
            self.known.append(Known(result, cause))
        return cause

    def frames(self, path: str, function: str) -> tuple[str, ...]:
        """Some way into `function`, another each time."""
        way = self.chance.sample(_MODULES, self.chance.randint(0, 2))
        test = f"tests/test_{self.chance.choice(_MODULES)}.py:{self.chance.randint(5, 90)}:test"
        calls = [f"shop/{one}.py:{self.chance.randint(5, 90)}:handle_{one}" for one in way]
        return (test, *calls, f"{path}:{self.chance.randint(10, 14)}:{function}")

    def crash(self, kind: str, path: str, function: str, words: str) -> Failure:
        """An error in a function of the code under test."""
        frames = self.frames(path, function)
        _, line, _ = frames[-1].split(":")
        return Failure(
            exception=kind,
            message=f"{words} {noise(self.chance)}",
            path=path,
            line=int(line),
            function=function,
            frames=frames,
        )

    def expected(self, words: str) -> Failure:
        """What a test says that only sees an answer."""
        line = self.chance.randint(5, 90)
        path = f"tests/test_{self.chance.choice(_MODULES)}.py"
        return Failure(
            exception="AssertionError",
            message=f"{words} ({noise(self.chance)})",
            path=path,
            line=line,
            function="test",
            frames=(f"{path}:{line}:test",),
        )


def plain(suite: Suite) -> None:
    """One function, reached by several ways; and its like elsewhere, which is another cause."""
    chance = suite.chance
    kind, words = chance.choice(_TYPES), " ".join(chance.sample(_WORDS, 3))
    for module in chance.sample(_MODULES, chance.choice((1, 2))):
        path, function = f"shop/{module}.py", f"load_{chance.choice(_WORDS)}"
        suite.add(lambda p=path, f=function: suite.crash(kind, p, f, words), count=chance.randint(1, 6))  # type: ignore[misc]


def two_faces(suite: Suite) -> None:
    """A caller turns the error into one of its own for some tests."""
    chance = suite.chance
    module, words = chance.choice(_MODULES), " ".join(chance.sample(_WORDS, 3))
    path = f"shop/{module}.py"
    cause = suite.add(lambda: suite.crash("KeyError", path, "read", words), count=chance.randint(1, 3))
    suite.add(
        lambda: suite.crash("LookupError", path, "serve", f"could not read: {words}"),
        count=chance.randint(1, 3),
        cause=cause,
    )


def shared_function(suite: Suite) -> None:
    """Two causes that surface in one function, which says different things."""
    chance = suite.chance
    for _ in range(2):
        words = " ".join(chance.sample(_WORDS, 4))
        suite.add(
            lambda said=words: suite.crash("DatabaseError", "shop/store.py", "execute", said),  # type: ignore[misc]
            count=chance.randint(1, 3),
        )


def statuses(suite: Suite) -> None:
    """Only the status and the route."""
    chance = suite.chance
    for route in chance.sample(_ROUTES, 2):
        method, status = chance.choice(("GET", "POST")), chance.choice((500, 502, 404))
        suite.add(
            lambda m=method, r=route, s=status: suite.expected(  # type: ignore[misc]
                f"assert {s} == 200: {m} {r.format(chance.randint(1, 999))}"
            ),
            count=chance.randint(1, 4),
        )


def service_errors(suite: Suite) -> None:
    """Several routes fail because of one error that the service names."""
    chance = suite.chance
    kind, place = chance.choice(_TYPES), f"load_{chance.choice(_WORDS)}"
    words = " ".join(chance.sample(_WORDS, 2))
    suite.add(
        lambda: suite.expected(
            f"assert 500 == 200: GET {chance.choice(_ROUTES).format(chance.randint(1, 999))}; "
            f"server: {kind} in {place}: {words}"
        ),
        count=chance.randint(2, 5),
    )


def timeouts(suite: Suite) -> None:
    """Nothing came back."""
    chance = suite.chance
    what = chance.choice(("websocket", "login", "export", "chat"))
    suite.add(
        lambda: suite.expected(f"TimeoutError: no {what} answer within {chance.randint(5, 30)} s"),
        count=chance.randint(1, 4),
    )


_KINDS = (plain, plain, two_faces, shared_function, statuses, service_errors, timeouts)


def ours(known: Sequence[Known]) -> list[str]:
    """The loop's clusters."""
    of = {test: one.id for one in cluster(("e2e", one.result) for one in known) for test in one.tests}
    return [of[one.result.id] for one in known]


def joined(known: Sequence[Known]) -> list[str]:
    """Clusters whose representatives have one cause are joined: the repair of one turns the other green."""
    groups = cluster(("e2e", one.result) for one in known)
    cause = {one.result.id: one.cause for one in known}
    of = {test: str(cause[one.tests[0]]) for one in groups for test in one.tests}
    return [of[one.result.id] for one in known]


WAYS: dict[str, Callable[[Sequence[Known]], list[str]]] = {
    "exception type": lambda known: [_said(one).exception for one in known],
    "crash line": lambda known: [f"{_said(one).path}:{_said(one).line}" for one in known],
    "root-cause key": lambda known: [signature_of(_said(one)).key for one in known],
    "clusters": ours,
    "joined by repairs": joined,
}


def _said(one: Known) -> Failure:
    assert one.result.failure is not None
    return one.result.failure


def b_cubed(groups: Sequence[str], causes: Sequence[int]) -> tuple[float, float]:
    """Precision and recall, averaged over failures."""
    both, by_group, by_cause = Counter(zip(groups, causes, strict=True)), Counter(groups), Counter(causes)
    pairs = list(zip(groups, causes, strict=True))
    return (
        statistics.mean(both[pair] / by_group[pair[0]] for pair in pairs),
        statistics.mean(both[pair] / by_cause[pair[1]] for pair in pairs),
    )


def suite_of(chance: random.Random) -> list[Known]:
    """The failures of one suite of the first mix."""
    suite = Suite(chance)
    for kind in chance.choices(_KINDS, k=chance.randint(3, 6)):
        kind(suite)
    return suite.known


MIXES: dict[str, Callable[[random.Random], list[Known]]] = {
    "generated words": suite_of,
    "words of Python libraries": failure_mix.suite_of,
    "other languages, held out": failure_mix_junit.suite_of,
}


def table(suites: Sequence[Sequence[Known]]) -> None:
    """The rows of one mix, every suite counting the same."""
    for name, way in WAYS.items():
        rows = []
        for known in suites:
            groups, causes = way(known), [one.cause for one in known]
            precision, recall = b_cubed(groups, causes)
            f1 = 2 * precision * recall / (precision + recall)
            rows.append((precision, recall, f1, len(set(groups)) / len(set(causes))))
        precision, recall, f1, share = (statistics.mean(column) for column in zip(*rows, strict=True))
        print(f"{name:<28}{precision:>10.3f}{recall:>9.3f}{f1:>8.3f}{share:>14.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--suites", type=int, default=200, help="of each mix")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for name, mix in MIXES.items():
        print(f"{name:<28}{'precision':>10}{'recall':>9}{'F1':>8}{'groups/cause':>14}")
        table([mix(random.Random(f"{arguments.seed} {number}")) for number in range(arguments.suites)])
        print(f"{'to reach':<28}{'':>19}{'.86, joined .90':>16}\n")


if __name__ == "__main__":
    main()
