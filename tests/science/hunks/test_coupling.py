"""Hunks that only work together are tried together, and told apart within the answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.records.history import Hunk
from goldenpath_loop.science.hunks.coupling import coupled


def hunk(removed: tuple[str, ...], added: tuple[str, ...]) -> Hunk:
    return Hunk(path="m.py", header="@@", removed=removed, added=added, old_start=1, new_start=1)


def test_a_name_that_changes_where_it_is_defined_and_where_it_is_used_couples_both() -> None:
    """Taking one of them back alone would leave a name that nobody knows."""
    found = coupled(
        [
            hunk(("limit = 3",), ("bound = 3",)),
            hunk(("    return x",), ("    return x + 1",)),
            hunk(("    return limit",), ("    return bound",)),
            hunk((), ("def helper():", "    pass")),
            hunk((), ("    helper()",)),
        ]
    )
    assert found == (frozenset({0, 2}), frozenset({1}), frozenset({3, 4}))


def test_a_name_that_was_there_before_couples_nothing() -> None:
    """It can be used whichever hunks are taken back."""
    found = coupled([hunk(("limit = 3",), ("limit = 4",)), hunk((), ("    return limit",))])
    assert found == (frozenset({0}), frozenset({1}))


LINES = st.lists(
    st.sampled_from(["alpha = 1", "def beta():", "    beta()", "    return alpha", ""]), max_size=3
)


@given(st.lists(st.builds(lambda a, b: hunk(tuple(a), tuple(b)), LINES, LINES), max_size=8))
def test_every_hunk_is_in_exactly_one_group(hunks: list[Hunk]) -> None:
    groups = coupled(hunks)
    assert sorted(one for group in groups for one in group) == list(range(len(hunks)))
