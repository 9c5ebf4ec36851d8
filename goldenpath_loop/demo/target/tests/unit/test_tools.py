"""The tools of the agents."""

import pytest

from backend.agents.tools import ToolError, calculator, thread_search, word_statistics


@pytest.mark.parametrize(("text", "value"), [("6 * 7", 42), ("what is 1 + 2 * 3?", 7)])
def test_calculator_finds_the_expression(text, value):
    assert calculator(text, [])["value"] == value


@pytest.mark.parametrize("text", ["no numbers here", "1 / 0"])
def test_calculator_refuses_what_it_cannot_do(text):
    with pytest.raises(ToolError):
        calculator(text, [])


def test_word_statistics():
    assert word_statistics("one three five", [])["longest"] == "three"


def test_thread_search_needs_a_word_in_common():
    assert thread_search("the harbour", ["old harbour", "new port"])["hits"] == ["old harbour"]
