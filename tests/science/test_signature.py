"""Signatures: what is masked, what stays, and which frame names the place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.records.results import Failure
from goldenpath_loop.science.signature import MAX_CHARS, mask, places, signature_of

MASKED = {
    "uuid": (
        "user 3fa85f64-5717-4562-b3fc-2c963f66afa6 is gone",
        "user <uuid> is gone",
    ),
    "commit id": ("at 077a0b7 and 3fa9c2d1e5", "at <id> and <id>"),
    "random id in quotes": ("no socket 'ws-7f3K9xQ2'", "no socket '<id>'"),
    "random id": ("id V1StGXR8Z5jdHi6BmyT is unknown", "id <id> is unknown"),
    "bearer token": ("token eyJhbGciOi.eyJzdWIiOi.abc-_9", "token <token>"),
    "number behind a name": ("no user_42, no user1234", "no user_<num>, no user<num>"),
    "numbers": ("took 12.5ms for 1,234,567 bytes, 1e-4 off", "took <num>ms for <num> bytes, <num> off"),
    "port of localhost": ("connect to localhost:9999 refused", "connect to <host> refused"),
    "host and port": ("db.internal:5432 refused", "<host> refused"),
    "IPv4": ("from 10.0.0.7 to 127.0.0.1:8080", "from <host> to <host>"),
    "IPv6": ("[::1]:8080 or ::1 or fe80:0:0:1:2", "<host> or <host> or <host>"),
    "authority of a URL": (
        "GET http://127.0.0.1:8123/users/42/items?page=3",
        "GET http://<host>/users/<num>/items?page=<num>",
    ),
    "authority with a password": ("redis://:pw@localhost:6379/0", "redis://<host>/<num>"),
    "ISO time stamp": ("2026-11-03T12:00:01.123Z and 2026-11-03 12:00:01,123+01:00", "<time> and <time>"),
    "date, time of day": ("2026-11-03 at 12:00:01", "<time> at <time>"),
    "time stamp of HTTP": ("date: Tue, 03 Nov 2026 12:00:01 GMT", "date: <time>"),
    "memory address": ("<Chat object at 0x7f3a8c>", "<Chat object at <address>>"),
    "temporary file": ("no '/tmp/tmpab12/x.json'", "no '<temp>'"),
    "pytest's folder elsewhere": ("no /scratch/pytest-of-me/pytest-3/a/x.txt!", "no <temp>"),
    "temporary file on Windows": (r"no C:\Users\me\AppData\Local\Temp\x.json", "no <temp>"),
    "home folder": (
        "cannot import 'x' from 'app' (/home/me/.cache/loop/trees/r1/app/__init__.py)",
        "cannot import 'x' from 'app' (<folder>/app/__init__.py)",
    ),
    "source file in any folder": ("/w/x/tree-12/clone/app/chat.py", "<folder>/app/chat.py"),
    "colours and white space": ("\x1b[31mred\x1b[0m \n  line", "red line"),
    "line of a file": ("File test_chat.py:45", "File test_chat.py:<num>"),
    "number that is no status": (
        "assert 5 == 3, returned 300 rows",
        "assert <num> == <num>, returned <num> rows",
    ),
    "decimal behind HTTP": ("http 500.25, status 4031", "http <num>, status <num>"),
}

KEPT = (
    "server rejected WebSocket connection: HTTP 403",
    "assert 500 == 200",
    "AssertionError: assert 500 == 200 + where 500 = <Response [500 Internal Server Error]>.status_code",
    "assert 500 in (200, 201)",
    "assert response.status_code == 200",
    "expected status 200, got 403",
    "expected 200, got 500 for POST /login",
    "{'status': 403}",
    "status_code=502",
    "HTTP status 503",
    "HTTP/1.1 404 Not Found",
    '"GET /users/me HTTP/1.1" 500',
    "HTTPStatus.FORBIDDEN: 403",
    "HTTP Error 404: Not Found",
    "GET /users returned 500 for me",
    "POST /login -> 502",
    "Client error '403 Forbidden' for url",
    "404 Client Error: nobody here",
    "received 1008 (policy violation) Authentication required; then sent 1008 (policy violation)",
    "close code 1011",
    "KeyError: 'tool_name'",
    "utf8 chat.v1 b64 e2e",
    "app.tools::build has no attribute 'x'",
    "GET /api/v1/orders/lines",
)


@pytest.mark.parametrize(("text", "expected"), MASKED.values(), ids=MASKED.keys())
def test_what_changes_from_run_to_run_is_masked(text: str, expected: str) -> None:
    """Every kind of volatile text becomes its placeholder."""
    assert mask(text) == expected


@pytest.mark.parametrize("text", KEPT)
def test_what_names_the_failure_stays(text: str) -> None:
    """Statuses, close codes, routes, keys and versioned names survive."""
    assert mask(text) == text


_PIECES = st.sampled_from(
    [text for text, _ in MASKED.values()]
    + list(KEPT)
    + [
        "<num>",
        "://",
        ":",
        "/",
        "'",
        '"',
        "-",
        ".",
        "\n",
        " ",
        "assert ",
        "HTTP ",
        "/tmp/",
        "x",
        "::",
        "9",
        "404",
    ]
)
_TEXTS = st.one_of(
    st.text(max_size=400),
    st.lists(_PIECES, max_size=30).map("".join),
    st.text(alphabet="0123456789abcdefxTZ:/.-_'\"[]<> HTPstausrn=", max_size=500),
)


@given(_TEXTS)
def test_masking_twice_changes_nothing(text: str) -> None:
    """Masking is idempotent, also when the cut went through a number or a path."""
    once = mask(text)
    assert mask(once) == once
    assert len(once) <= MAX_CHARS
    assert once == once.strip()


@pytest.mark.parametrize("tail", ["HTTP 403", "assert 500 == 200", "/tmp/abc/def", "http://localhost:8080/x"])
@pytest.mark.parametrize("length", range(MAX_CHARS - 24, MAX_CHARS + 1))
def test_a_cut_anywhere_leaves_a_stable_text(tail: str, length: int) -> None:
    """A cut through a status turns the rest of it into a number, once."""
    once = mask("x" * (length - 1) + " " + tail)
    assert mask(once) == once
    assert len(once) <= MAX_CHARS


@given(st.uuids(), st.uuids(), st.integers(0, 10**9), st.integers(0, 10**9))
def test_two_runs_of_one_failure_read_the_same(left: object, right: object, one: int, other: int) -> None:
    """Ids and numbers never tell failures apart."""
    text = "no item {} at http://127.0.0.1:{}/items/{}"
    assert mask(text.format(left, one % 60_000 + 1, one)) == mask(
        text.format(right, other % 60_000 + 1, other)
    )


def test_megabytes_are_masked_from_their_beginning() -> None:
    """What lies far behind the beginning is not read."""
    assert mask("Error: " + "ab1" * 1_000_000).startswith("Error: <")


def failure(*frames: str, path: str = "", function: str = "", message: str = "boom") -> Failure:
    return Failure(exception="KeyError", message=message, path=path, function=function, frames=frames)


def test_place_is_the_last_frame_inside_the_tree() -> None:
    """Libraries, environments inside the tree and the interpreter are passed over."""
    raised = failure(
        "tests/e2e/test_chat.py:10:test_stream",
        "app/tools.py:44:build",
        "/usr/lib/python3.11/json/decoder.py:3:decode",
        ".venv/lib/python3.11/site-packages/httpx/_client.py:9:send",
        "venv/lib/python3.11/asyncio/runners.py:9:run",
        "../other/x.py:1:f",
        "<frozen importlib._bootstrap>:1:load",
        "C:\\Python\\x.py:1:f",
        "no frame",
    )
    assert places(raised) == ("tests/e2e/test_chat.py::test_stream", "app/tools.py::build")
    assert signature_of(raised).key == "KeyError @ app/tools.py::build"


def test_place_falls_back_to_where_the_failure_says_it_was() -> None:
    """Without frames of the tree the failure's own path and function count."""
    assert signature_of(failure(path="app/x.py", function="f")).place == "app/x.py::f"
    assert signature_of(failure("/usr/lib/x.py:1:f", path="app/x.py", function="f")).place == "app/x.py::f"
    assert signature_of(failure("/usr/lib/x.py:1:f", path="/usr/lib/x.py", function="f")).place == ""
    assert signature_of(failure()).place == ""


def test_signature_does_not_depend_on_lines() -> None:
    """The same failure a few lines further down is the same failure."""
    assert signature_of(failure("app/x.py:1:f", message="id 12")) == signature_of(
        failure("app/x.py:9:f", message="id 99")
    )
