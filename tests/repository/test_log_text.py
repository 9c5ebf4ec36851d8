"""The log parser takes exactly what git prints, whatever people put into names and subjects."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.records.history import Commit
from goldenpath_loop.repository.log_text import parse_log, when

_ids = st.text("0123456789abcdef", min_size=40, max_size=40)
_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
_paths = st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=20)
_seconds = st.integers(min_value=0, max_value=4_000_000_000)
_commits = st.builds(
    Commit,
    revision=_ids,
    parents=st.lists(_ids, max_size=3).map(tuple),
    subject=_texts,
    author=_texts,
    committed_at=_seconds.map(lambda one: datetime.fromtimestamp(one, UTC)),
    files=st.lists(_paths, max_size=5).map(tuple),
)


def _printed(commit: Commit) -> bytes:
    head = "\0".join(
        (
            "",
            commit.revision,
            " ".join(commit.parents),
            commit.author,
            str(int(commit.committed_at.timestamp())),
            commit.subject,
        )
    )
    files = "\n" + "".join(f"{path}\0" for path in commit.files) if commit.files else ""
    return f"{head}\0{files}".encode()


@given(st.lists(_commits, max_size=6))
def test_what_is_printed_is_read_back(commits: list[Commit]) -> None:
    assert parse_log(b"".join(map(_printed, commits))) == tuple(commits)


@given(st.binary(max_size=300) | st.text("\0\n0a ", max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused_and_nothing_else(output: bytes) -> None:
    try:
        parse_log(output)
    except RepositoryError as error:
        assert "cannot be read" in error.message


@given(st.lists(_commits, min_size=1, max_size=3), st.data())
def test_an_output_cut_in_the_middle_of_a_commit_is_refused_or_a_beginning(
    commits: list[Commit], data: st.DataObject
) -> None:
    whole = b"".join(map(_printed, commits))
    cut = data.draw(st.integers(min_value=0, max_value=len(whole)))
    try:
        found = parse_log(whole[:cut])
    except RepositoryError:
        return
    assert [one.revision for one in found] == [one.revision for one in commits][: len(found)]


@pytest.mark.parametrize("seconds", ["", "soon", "99999999999999999", "9" * 5000])
def test_an_impossible_time_is_the_beginning_of_time(seconds: str) -> None:
    assert when(seconds) == datetime.fromtimestamp(0, UTC)
