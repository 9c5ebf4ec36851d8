"""Clusters: one cause, one cluster, whatever the order of the results."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.records.findings import Cluster
from goldenpath_loop.records.results import Failure, Outcome, Signature, TestResult
from goldenpath_loop.science.clusters import cluster

Result = tuple[str, TestResult]


def red(
    test: str,
    message: str,
    *frames: str,
    exception: str = "AssertionError",
    suite: str = "chat",
    duration_s: float = 1.0,
    outcome: Outcome = "red",
) -> Result:
    failure = Failure(exception=exception, message=message, frames=frames)
    return suite, TestResult(id=test, outcome=outcome, duration_s=duration_s, failure=failure)


def grouped(clusters: Sequence[Cluster]) -> list[set[str]]:
    return [set(found.tests) for found in clusters]


def test_only_red_and_timeout_are_clustered() -> None:
    """Green and unresolved results are no failures."""
    ends: tuple[Outcome, ...] = ("green", "unresolved")
    assert cluster([("s", TestResult(id=f"t.py::{end}", outcome=end)) for end in ends]) == ()


def test_one_exception_in_one_function_of_the_product_is_one_cause() -> None:
    """The root-cause key joins what tests of different files with different messages met."""
    clusters = cluster(
        [
            red(
                "tests/a.py::x", "'tool_name'", "tests/a.py:3:x", "app/tools.py:8:build", exception="KeyError"
            ),
            red("tests/b.py::y", "'other'", "tests/b.py:3:y", "app/tools.py:9:build", exception="KeyError"),
            red("tests/b.py::z", "'other'", "tests/b.py:7:z", "app/store.py:9:load", exception="OSError"),
        ]
    )
    assert grouped(clusters) == [{"tests/a.py::x", "tests/b.py::y"}, {"tests/b.py::z"}]


def test_same_message_in_different_functions_of_one_test_file_is_one_cause() -> None:
    """End-to-end failures lie in the tests themselves, each in its own function."""
    clusters = cluster(
        [
            red(
                f"tests/e2e/test_ws.py::test_{name}",
                f"no event for run {number}",
                f"tests/e2e/test_ws.py:9:test_{name}",
            )
            for number, name in enumerate(("a", "b", "c"))
        ]
    )
    assert [found.id for found in clusters] == ["K1"]
    assert len(clusters[0].tests) == 3


def test_a_shared_helper_joins_grouped_different_files() -> None:
    """The same words out of the same helper weigh more than the file."""
    clusters = cluster(
        [
            red(
                f"tests/{file}.py::t",
                "handshake refused: HTTP 403",
                f"tests/{file}.py:3:t",
                "tests/wire.py:8:join",
            )
            for file in ("a", "b")
        ]
    )
    assert len(clusters) == 1


def test_a_shared_helper_alone_joins_nothing() -> None:
    """Where a test looked is no cause: the messages must agree as well."""
    clusters = cluster(
        [
            red(
                "tests/a.py::t",
                "no agent_completed after tool call",
                "tests/a.py:3:t",
                "tests/wire.py:8:expect",
            ),
            red("tests/b.py::t", "login refused for probe user", "tests/b.py:3:t", "tests/wire.py:8:expect"),
        ]
    )
    assert len(clusters) == 2


def test_different_statuses_are_different_causes() -> None:
    """A 403 is not a 500, also out of one helper, one file and one chain of links."""
    frames = ("tests/e2e/test_api.py:3:t", "tests/e2e/test_api.py:8:expect")
    clusters = cluster(
        [
            red("tests/e2e/test_api.py::t1", "assert 500 == 200", *frames),
            red("tests/e2e/test_api.py::t2", "assert 403 == 200", *frames),
            red("tests/e2e/test_api.py::t3", "assert 5 == 200 == 403 == 500", *frames),
            red("tests/e2e/test_api.py::t4", "assert 500 == 200", *frames),
        ]
    )
    groups = grouped(clusters)
    assert {"tests/e2e/test_api.py::t1", "tests/e2e/test_api.py::t4"} <= groups[0]
    assert not any({"tests/e2e/test_api.py::t1", "tests/e2e/test_api.py::t2"} <= group for group in groups)


def test_status_of_the_product_key_is_respected() -> None:
    """Also an equal root-cause key does not join contradicting statuses."""
    frames = ("tests/a.py:3:t", "app/client.py:8:call")
    clusters = cluster(
        [
            red("tests/a.py::t1", "HTTP 502", *frames, exception="CallError"),
            red("tests/a.py::t2", "HTTP 404", *frames, exception="CallError"),
        ]
    )
    assert len(clusters) == 2


def test_timeouts_without_a_failure_join_within_a_file() -> None:
    """Nothing is known but the file; across files that is too little."""
    clusters = cluster(
        [
            ("s", TestResult(id=f"tests/{file}.py::{name}", outcome="timeout", duration_s=9))
            for file, name in (("a", "x"), ("a", "y"), ("b", "z"))
        ]
    )
    assert grouped(clusters) == [{"tests/a.py::x", "tests/a.py::y"}, {"tests/b.py::z"}]
    assert clusters[0].signature == Signature(exception="Timeout", place="", message="")


def test_red_without_a_failure_keeps_its_reason() -> None:
    """A failure that nobody described is still clustered."""
    (found,) = cluster([("s", TestResult(id="a::b", outcome="red", reason="exit 12"))])
    assert found.signature == Signature(exception="Unknown", place="", message="exit <num>")


def test_a_signature_that_is_there_is_used() -> None:
    """Whoever measured the test has named its signature already."""
    signature = Signature(exception="E", place="app/x.py::f", message="m")
    results = [
        (suite, TestResult(id=f"{suite}.py::t", outcome="red", signature=signature)) for suite in ("b", "a")
    ]
    (found,) = cluster(results)
    assert found.signature == signature
    assert found.suites == ("a", "b")


def test_quickest_test_stands_for_its_cluster() -> None:
    """Shortest first, then by name, timeouts last; a test that two suites ran counts once."""
    frames = ("app/x.py:1:f",)
    (found,) = cluster(
        [
            red("t.py::slow", "m", *frames, duration_s=9),
            red("t.py::late", "m", *frames, duration_s=0.1, outcome="timeout"),
            red("t.py::b", "m", *frames, duration_s=0.5),
            red("t.py::a", "m", *frames, duration_s=0.5),
            red("t.py::slow", "m", *frames, duration_s=9, suite="again"),
        ]
    )
    assert found.tests == ("t.py::a", "t.py::b", "t.py::slow", "t.py::late")
    assert found.suites == ("again", "chat")


_RESULTS = st.builds(
    red,
    test=st.builds("tests/{}.py::{}".format, st.sampled_from("ab"), st.sampled_from("wxyz")),
    message=st.sampled_from(["HTTP 403", "HTTP 500", "no event 7", "no event 8", "'tool_name'", ""]),
    exception=st.sampled_from(["AssertionError", "KeyError"]),
    suite=st.sampled_from(["one", "two"]),
    duration_s=st.sampled_from([0.0, 1.0, 2.0]),
    outcome=st.sampled_from(["red", "timeout", "green"]),
)


@given(
    st.lists(_RESULTS, max_size=12).flatmap(lambda given: st.tuples(st.just(given), st.permutations(given)))
)
def test_order_of_results_changes_nothing(orders: tuple[list[Result], list[Result]]) -> None:
    """Same results, same clusters, same ids, same representatives."""
    assert cluster(orders[0]) == cluster(orders[1])


@given(st.lists(_RESULTS, max_size=12))
def test_every_failure_is_in_a_cluster(results: list[Result]) -> None:
    """Nothing is lost, nothing is invented, ids count up, bigger clusters come first."""
    clusters = cluster(results)
    failed = {result.id for _, result in results if result.outcome in ("red", "timeout")}
    assert {test for found in clusters for test in found.tests} == failed
    assert [found.id for found in clusters] == [f"K{n}" for n in range(1, len(clusters) + 1)]
    sizes = [len(found.tests) for found in clusters]
    assert sizes == sorted(sizes, reverse=True)


def test_of_end_to_end_failures_the_route_and_the_services_words_tell() -> None:
    """The same status elsewhere is another cause, unless the service says the same of both."""

    def said(test: str, message: str) -> tuple[str, TestResult]:
        path = f"tests/test_{test}.py"
        failure = Failure(exception="AssertionError", message=message, frames=(f"{path}:9:test",))
        return "e2e", TestResult(id=f"{path}::test", outcome="red", failure=failure)

    routes = [said(name, f"assert 500 == 200: GET /{name}/12 (id 7f3a9c)") for name in ("users", "orders")]
    assert len(cluster([*routes, said("again", "assert 500 == 200: GET /users/99 (id 1b2c3d)")])) == 2
    words = "server: KeyError in load_price: owner"
    assert (
        len(cluster([said(name, f"assert 500 == 200: GET /{name}; {words}") for name in ("cart", "search")]))
        == 1
    )


def test_one_function_that_says_different_things_has_different_causes() -> None:
    """A shared `execute` fails for whoever calls it."""

    def said(test: str, message: str) -> tuple[str, TestResult]:
        failure = Failure(exception="DatabaseError", message=message, frames=("shop/store.py:12:execute",))
        return "unit", TestResult(id=f"tests/{test}.py::test", outcome="red", failure=failure)

    one = [said("a", "no such column price in table items"), said("b", "no such column price in table items")]
    assert len(cluster([*one, said("c", "deadlock detected while waiting for lock")])) == 2


def test_words_that_two_tests_each_say_alike_are_no_noise() -> None:
    """A shared check of models fails for two of them; what one test alone says could be anything."""

    def said(test: str, model: str) -> Result:
        return red(
            f"tests/{test}.py::t",
            f"1 validation error for {model} Field required",
            f"tests/{test}.py:3:t",
            "app/schemas.py:9:parse",
            exception="ValidationError",
        )

    settled = [said("a", "OrderOut"), said("b", "OrderOut"), said("c", "UserOut"), said("d", "UserOut")]
    assert grouped(cluster(settled)) == [
        {"tests/a.py::t", "tests/b.py::t"},
        {"tests/c.py::t", "tests/d.py::t"},
    ]
    assert len(cluster(settled[:3])) == 1


def test_words_that_only_one_side_adds_keep_nothing_apart() -> None:
    """The same, with a hint behind it, is the same."""
    frames = ("tests/a.py:3:t", "app/store.py:9:load")
    plain = [red(f"tests/a.py::t{n}", "no column price", *frames, exception="OSError") for n in range(2)]
    hinted = [
        red(f"tests/a.py::h{n}", "no column price; run migrate", *frames, exception="OSError")
        for n in range(2)
    ]
    assert len(cluster([*plain, *hinted])) == 1


def test_an_answer_that_names_an_exception_joins_it() -> None:
    """What a unit test met the end-to-end test saw as a 500, unless two places raise the like."""
    unit = red("tests/a.py::t", "'price'", "tests/a.py:3:t", "app/orders.py:9:dump", exception="KeyError")
    answer = red(
        "tests/e2e/b.py::t",
        'GET /api/orders/7 returned 500: {"detail": "KeyError: \'price\'"}',
        "tests/e2e/b.py:3:t",
    )
    assert grouped(cluster([unit, answer])) == [{"tests/a.py::t", "tests/e2e/b.py::t"}]
    other = red("tests/c.py::t", "'price'", "tests/c.py:3:t", "app/plans.py:9:dump", exception="KeyError")
    assert len(cluster([unit, answer, other])) == 3


def test_a_bare_status_joins_nothing_across_files() -> None:
    """Reason phrases and pytest's own words name no cause."""
    said = "assert 500 == 200 + where 500 = <Response [500 Internal Server Error]>.status_code"
    clusters = cluster(
        [
            red(f"tests/e2e/{file}.py::{name}", said, f"tests/e2e/{file}.py:3:{name}")
            for file, name in (("a", "x"), ("a", "y"), ("b", "z"))
        ]
    )
    assert grouped(clusters) == [{"tests/e2e/a.py::x", "tests/e2e/a.py::y"}, {"tests/e2e/b.py::z"}]


def test_one_fixture_is_one_place() -> None:
    """Tests of many files that cannot be set up have the fixture in common."""
    clusters = cluster(
        [
            red(
                f"tests/{file}.py::t",
                said,
                f"tests/{file}.py:3:t",
                "tests/conftest.py:9:seeded",
                exception="OSError",
            )
            for file, said in (("a", "disk full"), ("b", "seed is gone"))
        ]
    )
    assert len(clusters) == 1
