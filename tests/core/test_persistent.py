"""Persistent collections behave like a dict and a tuple of which every version is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.core.persistent import PersistentList, PersistentMap

ITEMS = st.lists(st.tuples(st.integers(0, 60), st.integers()), max_size=150)


@given(ITEMS)
def test_a_map_is_a_dict_of_which_every_version_stays(items: list[tuple[int, int]]) -> None:
    """Same keys in the same order, same values, same size; later versions change no earlier one."""
    plain: dict[int, int] = {}
    versions: list[tuple[PersistentMap[int, int], dict[int, int]]] = []
    found: PersistentMap[int, int] = PersistentMap()
    for key, value in items:
        versions.append((found, dict(plain)))
        found, plain = found.plus(key, value), plain | {key: value}
    for version, expected in [*versions, (found, plain)]:
        assert list(version.items()) == list(expected.items())
        assert version == expected
        assert len(version) == len(expected)
        assert all(version[key] == expected[key] for key in expected)
        assert 61 not in version
        with pytest.raises(KeyError):
            version[61]


@given(st.lists(st.tuples(st.integers(0, 200), st.integers()), max_size=60))
def test_a_list_is_a_tuple_of_which_every_version_stays(grown: list[tuple[int, int]]) -> None:
    """Also when several versions grow from the same one."""
    versions: list[tuple[PersistentList[int], tuple[int, ...]]] = [(PersistentList(), ())]
    for at, item in grown:
        found, plain = versions[at % len(versions)]
        versions.append((found.plus(item), (*plain, item)))
    for version, expected in versions:
        assert tuple(version) == expected
        assert version == expected
        assert len(version) == len(expected)
        assert tuple(reversed(version)) == expected[::-1]
        assert version[1:] == expected[1:]
        assert version[-3:] == expected[-3:]
        if expected:
            assert (version[0], version[-1]) == (expected[0], expected[-1])
        with pytest.raises(IndexError):
            version[len(expected)]
