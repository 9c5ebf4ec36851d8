"""What a claim may be about at all: a failure of the code, or something that a person can set right."""

from __future__ import annotations

import pytest

from goldenpath_loop.core.claims import nothing_to_explain, unshown_action
from goldenpath_loop.records.findings import Finding, OperatorAction

from .written import Written, cite, why

TEST = "tests/e2e/test_order.py::test_total"


def failing(triage: str = "regression") -> Written:
    """A run with one failing test, of which triage says what it is."""
    run = Written()
    said = "".join(f"handle_order no {number}\n" for number in range(9))
    run.ran("c0/execute/e2e", "e2e", run.evidence("test_result", said, TEST))
    run.clustered(TEST, triage=triage)
    return run


def explained(run: Written, *, cluster: str = "K1", kind: str = "why_chain") -> Finding:
    """A chain of four links that hang together."""
    told = [(f"it came to {number}", run.line_of("E1", number)) for number in range(5)]
    chain = tuple(why(told[number], told[number + 1]) for number in range(4))
    fields = {"id": "F1", "kind": kind, "title": "t", "statement": "s", "cluster": cluster, "dispatch": "d"}
    return Finding.model_validate({**fields, "chain": chain})


@pytest.mark.parametrize(
    ("kind", "action", "quotes", "said"),
    [
        ("operator_action", ("edge", "EDGE_SECRET"), ("edge: EDGE_SECRET is not set",), ""),
        ("operator_action", ("edge", ""), ("Edge exited with 78",), ""),
        ("operator_action", ("", "SMTP_HOST"), ("KeyError: 'SMTP_HOST'",), ""),
        ("operator_action", ("edge", "EDGE_SECRET"), ("log of edge", "no EDGE_SECRET"), ""),
        ("operator_action", ("mailer", ""), ("mailer exited",), "there is no service 'mailer'"),
        ("operator_action", ("edge", ""), ("backend exited",), "nothing that it cites speaks of edge"),
        (
            "operator_action",
            ("edge", "EDGE_KEY"),
            ("edge exited",),
            "nothing that it cites speaks of EDGE_KEY",
        ),
        ("operator_action", ("", "EDGE"), ("no EDGE_SECRET",), "nothing that it cites speaks of EDGE"),
        ("operator_action", ("edge", ""), ("knowledge is power",), "nothing that it cites speaks of edge"),
        ("operator_action", ("edge", ""), (), "nothing that it cites speaks of edge"),
        ("operator_action", ("", ""), ("edge exited",), "has to name a service or a setting"),
        ("operator_action", None, ("edge exited",), "an operator action has to say what is to be done"),
        ("observation", ("edge", ""), ("edge exited",), "only an operator action may name one"),
        ("observation", None, ("edge exited",), ""),
    ],
)
def test_an_operator_action_names_what_the_target_has(
    kind: str, action: tuple[str, str] | None, quotes: tuple[str, ...], said: str
) -> None:
    """In whole words of what it quotes."""
    doing = OperatorAction(instruction="Do it.", service=action[0], setting=action[1]) if action else None
    finding = Finding.model_validate(
        {
            "id": "F1",
            "kind": kind,
            "title": "t",
            "statement": "s",
            "action": doing,
            "citations": [cite("E1", quote) for quote in quotes],
        }
    )
    found = unshown_action(finding, Written().state)
    assert said in found
    assert bool(said) == bool(found)


def test_an_action_can_be_read_again() -> None:
    """Also one that names no service: what a log holds has to be readable."""
    action = OperatorAction(instruction="Set SMTP_HOST.", setting="SMTP_HOST")
    assert OperatorAction.model_validate_json(action.model_dump_json()) == action


@pytest.mark.parametrize(
    ("triage", "said"),
    [("regression", ""), ("intermittent", ""), ("flaky", "measured to be flaky"), ("unresolved", "measured")],
)
def test_a_chain_explains_a_failure_of_the_code(triage: str, said: str) -> None:
    """What runs have shown to be chance has no line of code for a cause."""
    run = failing(triage)
    finding = explained(run)
    assert said in nothing_to_explain(finding, run.state)
    assert (run.judged(finding).finding is None) is bool(said)


@pytest.mark.parametrize("cluster", ["", "K2"])
@pytest.mark.parametrize("kind", ["why_chain", "observation", "contradiction"])
def test_a_chain_about_no_failure_is_none(cluster: str, kind: str) -> None:
    """Also under another name; a chain from a silent service to its missing setting needs no test."""
    run = failing()
    finding = explained(run, cluster=cluster, kind=kind)
    assert run.judged(finding).reasons == ("there is no failure that it explains",)
    action = finding.model_copy(update={"kind": "operator_action"})
    assert nothing_to_explain(action, run.state) == ""
