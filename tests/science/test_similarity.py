"""Similarity: the hunk that speaks of the failure comes first, with the line that says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.records.history import Hunk
from goldenpath_loop.science.similarity import rank_hunks


def hunk(path: str, removed: str = "", added: str = "", header: str = "@@ -1 +1 @@") -> Hunk:
    return Hunk(
        path=path,
        header=header,
        removed=tuple(removed.splitlines()),
        added=tuple(added.splitlines()),
    )


EVENTS = hunk(
    "backend/events.py",
    '        "tool_name": call.name,\n        "tool_args": call.args,',
    '        "tool": call.name,\n        "tool_args": call.args,',
    "@@ -40,2 +40,2 @@ def tool_executing(call):",
)
ROUTES = hunk("edge/routes.py", '@router.get("/ws")', '@router.get("/ws/chat")')
LOGGING = hunk("backend/log.py", added='log.info("tool_name is %s, tool_name again", tool_name)')
README = hunk("README.md", 'The event has a "tool_name".', "The event has a tool.")
CONFIG = hunk("config/events.yaml", "tool_name: required", "tool: required")


@pytest.mark.parametrize(
    "text",
    [
        "KeyError: 'tool_name'",
        "'tool_name'",
        "AssertionError: assert 'tool_name' in {'type': 'tool_executing'}",
        "field 'tool_name' missing in tool_executing",
        '"tool_name" is missing',
    ],
)
def test_a_removed_key_that_the_failure_names_ranks_first(text: str) -> None:
    """Before hunks that only mention it, before data, before documents; the removed line is cited."""
    ranked = rank_hunks([README, LOGGING, CONFIG, ROUTES, EVENTS], [text])
    assert ranked[0].hunk == EVENTS
    assert ranked[0].index == 4
    assert (ranked[0].line, ranked[0].side) == ('        "tool_name": call.name,', "removed")
    assert ranked[0].score >= 2.0
    assert not ranked[0].added
    assert ranked[1].hunk == CONFIG
    assert 0.0 <= ranked[-1].score < 1.0


def test_a_key_that_is_moved_within_a_hunk_is_not_removed() -> None:
    """Removed and added again is a change of form."""
    moved = hunk("a.py", '"tool_name": x,', '"tool_name": y,')
    (found,) = rank_hunks([moved], ["KeyError: 'tool_name'"])
    assert found.score < 1.0


def test_a_removed_definition_counts_as_removed() -> None:
    """An attribute is missed under the name that a line defined."""
    gone = hunk("app/store.py", "    async def load_all(self):\n        return []")
    other = hunk("app/more.py", added="store.load_all()\nstore.load_all()")
    ranked = rank_hunks([other, gone], ["AttributeError: 'Store' object has no attribute 'load_all'"])
    assert (ranked[0].hunk, ranked[0].line) == (gone, "    async def load_all(self):")


def test_what_the_failure_complains_of_beats_what_it_prints() -> None:
    """Keys in printed data are named too, but they are not what is missing."""
    printed = hunk("a.py", '"type": 1, "payload": 2, "status": 3')
    accused = hunk("b.py", '"tool_name": 1')
    text = "KeyError: 'tool_name'\nevent = {'type': 'x', 'payload': 'y', 'status': 'z'}"
    ranked = rank_hunks([printed, accused], [text])
    assert [found.hunk for found in ranked] == [accused, printed]
    assert 1.0 <= ranked[1].score < 2.0


def test_rare_words_weigh_more_than_common_ones() -> None:
    """A word of every hunk says nothing about any of them."""
    common = [hunk(f"a{n}.py", added="session.commit() session.flush()") for n in range(5)]
    rare = hunk("z.py", added="session.close_handshake()")
    ranked = rank_hunks([*common, rare], ["session commit flush: CloseHandshake never came"])
    assert ranked[0].hunk == rare
    assert ranked[0].matched[:3] == ("close", "closehandshake", "handshake")


def test_names_meet_across_spellings() -> None:
    """camelCase, snake_case and paths share their parts."""
    target = hunk("edge/socket.py", "allowedSubprotocols = []")
    ranked = rank_hunks([hunk("other.py", "x = 1"), target], ["allowed_subprotocols is empty"])
    assert ranked[0].hunk == target
    assert "allowedsubprotocols" in ranked[0].matched


def test_path_and_header_count_a_little() -> None:
    """A frame that names the file or the function leads to the hunk; its body would lead further."""
    by_body = hunk("a.py", added="refresh_token()")
    by_path = hunk("auth/refresh_token.py", added="x = 1")
    by_header = hunk("b.py", added="y = 2", header="@@ -1 +1 @@ def refresh_token():")
    ranked = rank_hunks([by_path, by_header, by_body, ROUTES], ["in refresh_token"])
    assert ranked[0].hunk == by_body
    assert {found.hunk.path for found in ranked[1:3]} == {"auth/refresh_token.py", "b.py"}
    assert ranked[3].matched == ()


def test_source_before_data_before_documents() -> None:
    """The same change in another kind of file weighs less and never nothing."""
    kinds = ["docs/events.py", "events.json", "events.py", "poetry.lock", "requirements.txt"]
    ranked = rank_hunks([hunk(path, added="stream_chunk") for path in kinds], ["no stream_chunk came"])
    assert [found.hunk.path for found in ranked] == [
        "events.py",
        "events.json",
        "requirements.txt",
        "docs/events.py",
        "poetry.lock",
    ]
    assert all(found.score > 0 for found in ranked)


def test_a_hunk_without_text_has_no_line() -> None:
    """A change of mode or a binary file can be ranked but not cited."""
    (found,) = rank_hunks([hunk("logo.png")], ["boom"])
    assert (found.line, found.side, found.matched) == ("", "", ())


def test_without_a_match_the_first_line_with_text_is_cited() -> None:
    """A citation needs some text of the hunk, not a blank line."""
    (found,) = rank_hunks([hunk("a.py", "\n   ", "\nx = 1")], [])
    assert (found.line, found.side) == ("x = 1", "added")
    assert found.added


def test_what_shares_nothing_scores_nothing() -> None:
    """No word in common is no hint; source still comes before data and documents."""
    ranked = rank_hunks([README, hunk("a.yaml", "x: 1"), ROUTES], ["boom"])
    assert [(found.score, found.hunk.path) for found in ranked] == [
        (0.0, "edge/routes.py"),
        (0.0, "a.yaml"),
        (0.0, "README.md"),
    ]


_LINES = st.lists(st.sampled_from(["", "a = 'tool_name'", "def build():", "toolName", "x", "\t"]), max_size=4)
_HUNKS = st.lists(
    st.builds(
        lambda path, removed, added: Hunk(path=path, header="@@", removed=tuple(removed), added=tuple(added)),
        st.sampled_from(["a.py", "b.json", "README.md"]),
        _LINES,
        _LINES,
    ),
    max_size=6,
)


@given(_HUNKS, st.lists(st.one_of(st.text(max_size=40), st.sampled_from(["KeyError: 'tool_name'", "build"]))))
def test_every_hunk_is_ranked_with_a_line_of_its_own(hunks: list[Hunk], texts: list[str]) -> None:
    """Nothing is lost, scores fall, every citation is verbatim on the side it names."""
    ranked = rank_hunks(hunks, texts)
    assert sorted(found.index for found in ranked) == list(range(len(hunks)))
    scores = [found.score for found in ranked]
    assert scores == sorted(scores, reverse=True)
    assert all((found.score > 0) == bool(found.matched) or found.score >= 1 for found in ranked)
    for found in ranked:
        assert found.hunk == hunks[found.index]
        sides = {"removed": found.hunk.removed, "added": found.hunk.added, "": ("",)}
        assert found.line in sides[found.side]
