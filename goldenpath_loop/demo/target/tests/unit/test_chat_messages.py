"""What counts as a chat message."""

import json

import pytest

from backend.chat import BadMessage, parse_message


def test_message_with_a_text_is_taken():
    assert parse_message('{"type": "chat", "text": "hello"}')["text"] == "hello"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("hello", "invalid_json"),
        ("[]", "unknown_type"),
        ('{"type": "chat", "text": " "}', "missing_text"),
        (json.dumps({"type": "chat", "text": "x" * 5000}), "text_too_long"),
    ],
)
def test_everything_else_is_refused_with_a_code(raw, code):
    with pytest.raises(BadMessage) as refused:
        parse_message(raw)
    assert refused.value.code == code
