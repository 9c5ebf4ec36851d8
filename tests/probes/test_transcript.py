"""What the pure halves make of texts."""

from __future__ import annotations

import json

import pytest

from goldenpath_loop.probes.http_answer import dependencies_of
from goldenpath_loop.probes.transcript import body_text, header_lines, lay_out, mask


@pytest.mark.parametrize(
    "document",
    [
        '{"a":1.50,"b":[1,2,{"c":null}],"d":{},"e":[],"f":"x, {y}: \\"z\\""}',
        "[]",
        "{}",
        '[[],{},"{"]',
        '"text"',
        "-1e+03",
        '{"twice":1,"twice":2}',
    ],
)
def test_layout_changes_white_space_alone(document: str) -> None:
    laid_out = lay_out(document)
    assert json.loads(laid_out) == json.loads(document)
    assert "".join(laid_out.split()) == "".join(document.split())


def test_layout_gives_each_member_a_line() -> None:
    assert (
        lay_out('{"a":1,"b":{"c":[true]}}') == '{\n  "a": 1,\n  "b": {\n    "c": [\n      true\n    ]\n  }\n}'
    )


def test_what_is_nested_beyond_reading_stays_as_it_is() -> None:
    deep = "[" * 500 + "]" * 500
    assert lay_out(deep) == deep
    assert body_text(b"[" * 200_000) == "[" * 60_000 + " [... 140000 more characters]"


def test_what_only_looks_like_json_stays_as_it_is() -> None:
    assert body_text(b'{"a": 1, oops}') == '{"a": 1, oops}'


@pytest.mark.parametrize(
    ("header", "line"),
    [
        (("Authorization", "Bearer abc"), "authorization: Bearer ***"),
        (("Proxy-Authorization", "Basic abc"), "proxy-authorization: Basic ***"),
        (("Set-Cookie", "session=abc"), "set-cookie: ***"),
        (("X-Api-Key", "abc"), "x-api-key: ***"),
        (("X-CSRF-Token", "abc"), "x-csrf-token: ***"),
        (("WWW-Authenticate", "Bearer realm=x"), "www-authenticate: Bearer realm=x"),
        (("Access-Control-Allow-Credentials", "true"), "access-control-allow-credentials: true"),
        (("X-Note", "a\r\nb: c"), "x-note: a\\nb: c"),
    ],
)
def test_credentials_in_headers_are_masked_and_a_header_stays_one_line(
    header: tuple[str, str], line: str
) -> None:
    assert header_lines([header]) == [line]


def test_masking_leaves_very_short_values_alone() -> None:
    assert mask("a banana, tok-12345", ("a", "tok-12345")) == "a banana, ***"


@pytest.mark.parametrize(
    "listed",
    [
        None,
        3,
        "text",
        [1, 2],
        [{"status": "ok"}],
        {"": 1},
        {"x": {"status": {"deep": 1}}},
        {"x": float("nan")},
    ],
)
def test_dependencies_of_any_shape_are_read_or_left(listed: object) -> None:
    for one in dependencies_of({"d": listed}, "d"):
        assert one.status == "unknown"


def test_a_list_of_named_dependencies_is_read() -> None:
    found = dependencies_of({"d": [{"name": "db", "status": True, "response_time_ms": float("inf")}]}, "d")
    assert [(one.name, one.status, one.response_time_ms) for one in found] == [("db", "ok", None)]
