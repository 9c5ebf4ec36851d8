"""A line of code shares plain words with every sentence: only names of code lead to it."""

from __future__ import annotations

import pytest

from goldenpath_loop.core.shared_names import code_names, names


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("assert total == 3", {"total"}),
        ("total = len(prices)", {"total", "prices"}),
        ("KeyError: 'owner'", {"owner"}),
        ('return [row["owner"] for row in rows]', {"row", "owner"}),
        ("GET /api/threads answered 502", {"threads"}),
        ('ROUTES = [Route("/api/pages", page)]', {"ROUTES", "pages"}),
        ("AttributeError: 'NoneType' object has no attribute 'bit_length'", {"bit_length"}),
        ("def total_of(cart):", {"total_of", "cart"}),
        ("session.sendMessage failed", {"session", "sendMessage"}),
        ("größe = maß(teile)", {"größe", "maß", "teile"}),
        ("connection to the database refused, no response in time", set[str]()),
        ("expected 3 events, got 2 within the timeout.", set[str]()),
        ("if response.status != 200:", set[str]()),
        ("raise ValueError(message)", set[str]()),
    ],
)
def test_names_of_code(text: str, found: set[str]) -> None:
    """Called, assigned, asked for or spelt like code; words of a sentence and what all code has are left out."""
    assert code_names(text) == found


def test_words_of_a_sentence() -> None:
    """Between logs they are all there is."""
    assert names("the upstream chat is not here: 502, größer") == {"upstream", "chat", "here", "größer"}
