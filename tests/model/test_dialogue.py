"""A conversation is driven like any generator: what the model says goes in, what to do next comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from goldenpath_loop.model.dialogue import End, Rules, ToolResult, UseTools, converse
from goldenpath_loop.model.messages import Ask, Fault, Reply, ToolCall, ToolDefinition

READ = ToolDefinition("read", "Read.", {"type": "object"})
GOOD = Reply("fine: all of it")


def calls(*arguments: str, name: str = "read", ids: Sequence[str] = ()) -> Reply:
    """A reply that calls a tool once for each of `arguments`."""
    named = ids or [f"c{number}-{text}" for number, text in enumerate(arguments)]
    return Reply(calls=tuple(ToolCall(id, name, text) for id, text in zip(named, arguments, strict=True)))


def parse(text: str) -> str | list[str]:
    """An answer is a list of words; what does not begin with `fine:` is none."""
    return text.removeprefix("fine:").split() if text.startswith("fine:") else "it is not fine"


def check(answer: Any) -> list[str]:
    """The gate lets no lie through."""
    return [f"{word} is false" for word in answer if word == "lie"]


def rules(
    *,
    turns: int = 6,
    tools: tuple[ToolDefinition, ...] = (READ,),
    context_tokens: int = 10_000,
) -> Rules:
    """Rules of a small agent."""
    return Rules("Rules.", "Why?", tools, {"type": "object"}, turns, context_tokens, parse, check)


@dataclass
class Held:
    """What became of a conversation.

    Attributes:
        asks: Every request, in order.
        used: Arguments of the tools that were really called, turn by turn.
    """

    end: End = field(default_factory=lambda: End(None))
    asks: list[Ask] = field(default_factory=list)
    used: list[list[str]] = field(default_factory=list)

    def told(self, turn: int) -> str:
        """The last message of the request of one turn, from 1."""
        return str(self.asks[turn - 1].messages[-1]["content"])


def hold(
    rules: Rules,
    *replies: Reply | Fault,
    tool: Callable[[ToolCall], ToolResult] = lambda call: ToolResult(f"result of {call.arguments}"),
) -> Held:
    """Play `replies`; each must be asked for."""
    held, left = Held(), list(replies)
    flow = converse(rules)
    try:
        wanted = next(flow)
        while True:
            if isinstance(wanted, UseTools):
                held.used.append([call.arguments for call in wanted.calls])
                wanted = flow.send([tool(call) for call in wanted.calls])
            else:
                held.asks.append(wanted)
                wanted = flow.send(left.pop(0))
    except StopIteration as stop:
        held.end = stop.value
    assert not left, "not all was asked for"
    assert held.end.turns == len(held.asks)
    for ask in held.asks:
        assert_answered(ask)
    return held


def assert_answered(ask: Ask) -> None:
    """Every call in `ask` is followed by its results, in order, before anybody else speaks."""
    open_calls: list[str] = []
    for message in ask.messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] == open_calls.pop(0)
            continue
        assert open_calls == []
        open_calls = [call["id"] for call in message.get("tool_calls", ())]
    assert open_calls == []


def test_an_answer_at_once() -> None:
    held = hold(rules(), GOOD)
    assert held.end == End(["all", "of", "it"], turns=1)
    assert [one["role"] for one in held.asks[0].messages] == ["system", "user"]
    assert held.asks[0].tools == (READ,)


def test_the_server_enforces_a_schema_only_where_no_tool_could_be_called() -> None:
    assert hold(rules(), GOOD).asks[0].schema is None
    assert hold(rules(tools=()), GOOD).asks[0].schema == {"type": "object"}


def test_tools_are_used_and_their_results_stand_in_order() -> None:
    held = hold(rules(), calls("a", "b"), calls("c"), GOOD)
    assert held.used == [["a", "b"], ["c"]]
    assert [one["content"] for one in held.asks[2].messages if one["role"] == "tool"] == [
        "result of a",
        "result of b",
        "result of c",
    ]
    assert held.end.answer


def test_results_are_told_apart_when_a_server_gives_every_call_the_same_id() -> None:
    held = hold(rules(), calls("a", "b", ids=["call", "call"]), GOOD)
    assert [one["content"] for one in held.asks[1].messages[-2:]] == ["result of a", "result of b"]


def test_the_third_identical_call_is_not_carried_out() -> None:
    held = hold(rules(), calls("a"), calls("a"), calls("a"), calls("b"), GOOD)
    assert held.used == [["a"], ["a"], [], ["b"]]
    assert held.told(4) == "You called this before with the same arguments; the result stands above."
    assert held.end.answer


def test_identical_calls_without_end_have_one() -> None:
    held = hold(rules(turns=60), *[calls("a")] * 5)
    assert held.used == [["a"], ["a"], [], []]
    assert "again and again" in held.end.problem


def test_identical_calls_within_one_turn_count_as_well() -> None:
    held = hold(rules(), calls("a", "a", "b", "a"), GOOD)
    assert held.used == [["a", "a", "b"]]
    assert [one["content"] for one in held.asks[1].messages[-4:]] == [
        "result of a",
        "result of a",
        "result of b",
        "You called this before with the same arguments; the result stands above.",
    ]


def test_the_last_turn_is_said_to_be_the_last() -> None:
    held = hold(rules(turns=2), calls("a"), GOOD)
    assert "This is the last turn" in held.told(2)
    assert held.asks[1].tools == (READ,)
    assert held.end.answer


def test_calls_on_the_last_turn_lead_nowhere() -> None:
    held = hold(rules(turns=2), calls("a"), calls("b"))
    assert held.used == [["a"]]
    assert held.end == End(None, "no answer after 2 turns", turns=2)


def test_calls_of_tools_that_nobody_offered_are_no_answer() -> None:
    held = hold(rules(tools=()), calls("a"), GOOD)
    assert held.used == []
    assert "empty" in held.told(2)
    assert held.end.answer


@pytest.mark.parametrize(
    ("bad", "told", "problem"),
    [
        (Reply(""), "Your answer was empty", "the answer was empty"),
        (Reply(" \n"), "Your answer was empty", "the answer was empty"),
        (Reply("fine: half of", finish="length"), "Your answer was cut off", "the answer was cut off"),
        (Reply("wrong"), "does not fit: it is not fine", "the answer does not fit: it is not fine"),
    ],
)
def test_a_bad_answer_is_asked_for_again_once(bad: Reply, told: str, problem: str) -> None:
    mended = hold(rules(), bad, GOOD)
    assert told in mended.told(2)
    assert mended.end.answer == ["all", "of", "it"]
    assert hold(rules(), bad, bad).end == End(None, problem, turns=2)


def test_a_repair_counts_over_the_whole_conversation() -> None:
    held = hold(rules(), Reply("wrong"), calls("a"), Reply(""))
    assert held.end == End(None, "the answer was empty", turns=3)


def test_a_refusal_is_not_argued_with() -> None:
    held = hold(rules(), Reply("I cannot", finish="content_filter"))
    assert held.end == End(None, "the model refused to answer", turns=1)


def test_a_fault_ends_the_conversation_with_its_own_words() -> None:
    assert hold(rules(), calls("a"), Fault("timeout", "silent")).end == End(None, "silent", turns=2)


def test_refused_claims_are_told_at_most_twice() -> None:
    lie = Reply("fine: lie")
    held = hold(rules(), lie, lie, lie)
    assert [one.turn for one in held.end.refusals] == [1, 2, 3]
    assert held.end.refusals[0].reasons == ("lie is false",)
    assert held.end.answer == ["lie"], "the gate looks at it once more"
    told = [one["content"] for one in held.asks[2].messages if "were refused" in str(one["content"])]
    assert len(told) == 2
    assert "- lie is false" in told[0]


def test_refused_claims_are_corrected() -> None:
    held = hold(rules(), Reply("fine: lie truth"), Reply("fine: truth"))
    assert held.end.answer == ["truth"]
    assert len(held.end.refusals) == 1
    assert held.end.problem == ""


def test_on_the_last_turn_a_refused_answer_is_what_there_is() -> None:
    held = hold(rules(turns=1), Reply("fine: lie"))
    assert held.end.answer == ["lie"]


@pytest.mark.parametrize(
    "after",
    [
        [Fault("server_error", "down")],
        [Reply("", finish="content_filter")],
        [Reply("wrong"), Reply("wrong")],
        [calls("a")] * 5,
    ],
    ids=["fault", "refusal", "wrong schema", "identical calls"],
)
def test_an_answer_that_is_refused_in_part_is_kept(after: list[Reply | Fault]) -> None:
    held = hold(rules(turns=20), Reply("fine: lie truth"), *after)
    assert held.end.answer == ["lie", "truth"]
    assert held.end.problem == ""


def long(call: ToolCall) -> ToolResult:
    """A result of about a thousand tokens."""
    return ToolResult(call.arguments * 4000)


def test_the_oldest_results_are_put_aside_when_there_is_no_room() -> None:
    held = hold(rules(context_tokens=2600), calls("a"), calls("b"), calls("c"), calls("d"), GOOD, tool=long)
    assert [ask.put_aside for ask in held.asks] == [(), (), (), ("c0-a",), ("c0-b",)]
    results = [one["content"] for one in held.asks[4].messages if one["role"] == "tool"]
    assert results[0] == "[put aside to save room: 4000 characters; call the tool again to see them]"
    assert results[2:] == ["c" * 4000, "d" * 4000]


def test_the_latest_two_results_stay_however_little_room_there_is() -> None:
    held = hold(rules(context_tokens=10), calls("a", "b", "c"), GOOD, tool=long)
    results = [one["content"] for one in held.asks[1].messages if one["role"] == "tool"]
    assert results[1:] == ["b" * 4000, "c" * 4000]
    assert held.asks[1].put_aside == ("c0-a",)


def test_what_was_put_aside_may_be_called_for_again() -> None:
    held = hold(
        rules(turns=20, context_tokens=2600),
        *[calls(text) for text in ("a", "a", "b", "c", "d", "a")],
        GOOD,
        tool=long,
    )
    assert held.used[-1] == ["a"]


def test_a_note_in_place_of_a_short_result_would_save_nothing() -> None:
    held = hold(rules(context_tokens=10), calls("a", "b", "c"), GOOD)
    assert [one["content"] for one in held.asks[1].messages if one["role"] == "tool"] == [
        "result of a",
        "result of b",
        "result of c",
    ]
    assert held.asks[1].put_aside == ()
