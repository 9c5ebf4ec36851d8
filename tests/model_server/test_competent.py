"""The competent behaviour explains and repairs small programs that it has never seen."""

from __future__ import annotations

import itertools
import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.model_server import serve
from tests.model_server.behaviours.competent import Competent
from tests.model_server.desk import FINDINGS, OBJECTIONS, PATCH, Desk
from tests.model_server.shop import SOURCES

WHY = "# Why do these tests fail?\n\n## Cluster\n\nK1 tests/test_shop.py::test_it"
LINKS = "# Which of these links does not hold?\n\n## Chain\n\n"
FIX = """# What is the smallest change that removes the shown cause?

## Allowed paths

<<<
shop/
>>>

## Why-chain

"""


def loaded(folder: Path, *names: str) -> dict[str, Any]:
    """Names of the modules of the shop, in one room."""
    room: dict[str, Any] = {"Route": lambda *_: None}
    for name in names:
        exec(compile((folder / "shop" / name).read_text(), f"/srv/run-7/shop/{name}", "exec"), room)
    return room


def report(symptom: str, exception: str, body: str = "") -> str:
    """A red test's words."""
    return (
        f"test: tests/test_shop.py::test_it\noutcome: red\nstage: call\nexception: {exception}\n"
        f"place: tests/test_shop.py:9 in test_it\n\n--- message ---\n{symptom}\n\n"
        f"--- frames ---\ntests/test_shop.py:9:test_it\n\n--- failure in call ---\n    def test_it():\n{body}\n"
    )


def log_of(run: Callable[[], Any]) -> str:
    """What a service logs when a call raises."""
    lines = "2026-01-01 10:00:00,000 INFO shop service.starting port=1\n"
    try:
        run()
    except (KeyError, AttributeError):
        lines += "ERROR: Exception in ASGI application\n" + traceback.format_exc()
    # Frames of code that was never in a file come without their source line; logs of services have it.
    out = []
    for line in lines.splitlines():
        out.append(line)
        if '"/srv/run-7/' in line:
            name, number = line.split('"')[1].rpartition("/")[2], int(line.split("line ")[1].split(",")[0])
            out.append("    " + SOURCES[name].splitlines()[number - 1].strip())
    return "\n".join(out) + "\n2026-01-01 10:00:01,000 INFO shop request.done\n"


FIVE_HUNDRED = report(
    "assert 500 == 200", "AssertionError", "        assert http.get('/price').status_code == 200"
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A shop in a folder."""
    (tmp_path / "shop").mkdir()
    for name, text in SOURCES.items():
        (tmp_path / "shop" / name).write_text(text)
    return Desk(tmp_path)


def with_evidence(desk: Desk, test: str, log: str = "") -> Desk:
    """The desk with what a failing run left."""
    desk.evidence["E1"] = ("test_result", "tests/test_shop.py::test_it", test)
    if log:
        desk.evidence["E2"] = ("service_log", "log of shop in base", log)
    return desk


def asked(desk: Desk, brief: str, schema: dict[str, Any], *refusals: str) -> dict[str, Any]:
    """What the competent behaviour answers."""
    with serve(Competent()) as server:
        answer = desk.ask(server.base_url, brief, schema, refusals)
    assert server.problems == []
    return answer


def log_with_missing_key(desk: Desk) -> str:
    return log_of(lambda: loaded(desk.folder, "rates.py", "table.py")["price"]("pallet", 2))


@pytest.mark.parametrize("numbered", [False, True])
def test_a_chain_leads_from_the_symptom_to_the_line(desk: Desk, numbered: bool) -> None:
    with_evidence(desk, FIVE_HUNDRED, log_with_missing_key(desk)).numbered = numbered
    (finding,) = asked(desk, WHY, FINDINGS)["findings"]
    assert finding["kind"] == "why_chain"
    chain = finding["chain"]
    assert [one["kind"] for one in chain] == ["call_path"] * 3
    assert chain[0]["effect_citation"] == {
        "evidence": "E1",
        "quote": "assert 500 == 200",
        "start": -1,
        "end": -1,
    }
    assert chain[0]["cause_citation"]["quote"] == "KeyError: 'pallet'"
    assert chain[1]["cause_citation"]["quote"] == "return RATES[kind](weight)"
    assert chain[2]["cause_citation"]["quote"] == "RATES = {"
    assert all(upper["cause"] == lower["effect"] for upper, lower in itertools.pairwise(chain))
    assert all(desk.resolves(one[side]) for one in chain for side in ("effect_citation", "cause_citation"))


def test_a_long_log_is_read_to_its_end(desk: Desk) -> None:
    log = "2026-01-01 09:59:00,000 INFO shop all.well\n" * 400 + log_with_missing_key(desk)
    (finding,) = asked(with_evidence(desk, FIVE_HUNDRED, log), WHY, FINDINGS)["findings"]
    assert finding["chain"][0]["cause_citation"]["quote"] == "KeyError: 'pallet'"


def test_links_that_were_refused_are_left_out(desk: Desk) -> None:
    with_evidence(desk, FIVE_HUNDRED, log_with_missing_key(desk))
    (finding,) = asked(desk, WHY, FINDINGS, "link 3: a call path has to cite the change")["findings"]
    assert len(finding["chain"]) == 2
    again = "link 1: it does not start at what a test said"
    answer = asked(desk, WHY, FINDINGS, again, again)
    assert answer["not_enough_evidence"]


def test_without_a_traceback_there_are_hypotheses_only(desk: Desk) -> None:
    body = "        assert http.get('/api/pages').json() == [2, 3, 4]"
    (finding,) = asked(
        with_evidence(desk, report("assert [1] == [2]", "AssertionError", body)), WHY, FINDINGS
    )["findings"]
    assert finding["kind"] == "observation"
    assert finding["chain"] == []
    assert "shop/pages.py:6 page" in finding["hypotheses"][0]


def test_when_nothing_fits_that_is_said(desk: Desk) -> None:
    answer = asked(with_evidence(desk, report("assert 1 == 2", "AssertionError")), WHY, FINDINGS)
    assert answer["not_enough_evidence"]
    assert not answer.get("findings")


CHAIN = (
    "1. call_path: the page is wrong because it raises\n"
    "   effect E1: `assert 500 == 200`\n   cause E2: `KeyError: 'pallet'`\n"
    "2. call_path: it raises because of a line\n"
    "   effect E2: `KeyError: 'pallet'`\n   cause E1: `assert 400 == 200`\n"
)
AS_JSON = json.dumps(
    [
        {
            "kind": "call_path",
            "effect_citation": {"evidence": "E1", "quote": one},
            "cause_citation": {"evidence": "E2", "quote": "KeyError: 'pallet'"},
        }
        for one in ("assert 500 == 200", "assert 400 == 200")
    ],
    indent=1,
)


@pytest.mark.parametrize("chain", [CHAIN, AS_JSON])
def test_the_sceptic_looks_every_quote_up(desk: Desk, chain: str) -> None:
    with_evidence(desk, FIVE_HUNDRED, log_with_missing_key(desk))
    answer = asked(desk, LINKS + chain, OBJECTIONS)
    assert answer["stood"] == [1]
    assert [one["link"] for one in answer["objections"]] == [2]
    assert "assert 400" in answer["objections"][0]["refuter"]["looked_for"]
    assert desk.resolves(answer["objections"][0]["refuter"]["citation"])


def green_table(folder: Path) -> bool:
    return bool(loaded(folder, "rates.py", "table.py")["price"]("pallet", 2) == 52)


def green_pages(folder: Path) -> bool:
    return bool(loaded(folder, "pages.py")["page"]([1, 2, 3, 4, 5], 1) == [2, 3, 4])


def green_stock(folder: Path) -> bool:
    return bool(loaded(folder, "stock.py")["total"]("screw") == 0)


def green_counts(folder: Path) -> bool:
    return bool(loaded(folder, "counts.py")["twice"]([1, 2, 3]) == 2)


def guarded(check: Callable[[Path], bool]) -> Callable[[Path], bool]:
    """A check for which an exception is red."""

    def run(folder: Path) -> bool:
        try:
            return check(folder)
        except Exception:  # noqa: BLE001 - a test that raises is red, whatever it raises
            return False

    return run


ROUTE_TEST = report(
    "assert [1, 2, 3] == [2, 3, 4]", "AssertionError", "        got = http.get('/api/pages').json()"
)
REPAIRS = {
    "missing entry": (
        green_table,
        "price",
        ("rates.py", "table.py"),
        ("pallet", 2),
        '+    "pallet": rate_pallet',
    ),
    "missing guard": (
        green_stock,
        "total",
        ("stock.py",),
        ("screw",),
        "+    if row is None:\n+        return 0",
    ),
    "missing return": (green_counts, "twice", ("counts.py",), ([1, 2, 3],), "+    return number"),
}


@pytest.mark.parametrize("case", REPAIRS)
@pytest.mark.parametrize("shape", ["diff", "edits"])
def test_what_a_traceback_shows_is_repaired(desk: Desk, case: str, shape: str) -> None:
    check, name, modules, arguments, change = REPAIRS[case]
    with_evidence(desk, FIVE_HUNDRED, log_of(lambda: loaded(desk.folder, *modules)[name](*arguments)))
    desk.check = guarded(check)
    schema = PATCH
    if shape == "edits":
        known = {name: value for name, value in PATCH["properties"].items() if name != "diff"}
        schema = {**PATCH, "properties": {**known, "edits": {"type": "array", "items": {"type": "object"}}}}
    answer = asked(desk, f"{FIX}the service raises", schema)
    assert shape in answer, answer
    given = {shape: answer[shape]}
    assert desk.try_patch(**given).startswith("green")
    shown = answer["diff"] if shape == "diff" else answer["edits"][0]["replace"]
    assert all(line.removeprefix("+") in shown for line in change.splitlines())
    assert all(desk.resolves(one) for one in answer["citations"])
    assert desk.called.count("try_patch") < 16


def test_a_wrong_comparison_is_found_by_the_route(desk: Desk) -> None:
    with_evidence(desk, ROUTE_TEST).check = guarded(green_pages)
    answer = asked(desk, f"{FIX}no link holds", PATCH)
    assert "+        if row > after" in answer["diff"]
    assert desk.try_patch(diff=answer["diff"]).startswith("green")
    assert desk.called.count("try_patch") < 16


def test_a_patch_that_was_refused_is_not_given_again(desk: Desk) -> None:
    with_evidence(desk, ROUTE_TEST).check = guarded(green_pages)
    answer = asked(desk, f"{FIX}no link holds", PATCH, "the diff touches too much")
    assert "if row > after" not in answer.get("diff", "")


def test_when_nothing_is_green_that_is_said(desk: Desk) -> None:
    with_evidence(desk, ROUTE_TEST).check = lambda folder: False
    answer = asked(desk, f"{FIX}no link holds", PATCH)
    assert "none was green" in answer["not_enough_evidence"]
    assert "diff" not in answer


def test_what_was_tried_before_is_not_tried_again(desk: Desk) -> None:
    with_evidence(desk, ROUTE_TEST).check = guarded(green_pages)
    first = asked(desk, f"{FIX}no link holds", PATCH)["diff"]
    tried = f"\n\n## Tried before\n\n<<<\n{first}\n>>>"
    assert asked(desk, f"{FIX}no link holds{tried}", PATCH).get("diff") != first


def test_other_agents_get_an_honest_empty_answer(desk: Desk) -> None:
    plan = "# In which order should the planned suites run?\n\n## Plan\n\n<<<\n1. smoke (3 tests)\n2. chat-flow\n>>>"
    schema = {"type": "object", "properties": {"suites": {"type": "array"}, "reasons": {"type": "object"}}}
    assert asked(desk, plan, schema) == {"suites": ["smoke", "chat-flow"], "reasons": {}}
    answer = asked(desk, "# Do the services behave as they say?", FINDINGS)
    assert list(answer) == ["not_enough_evidence"]
