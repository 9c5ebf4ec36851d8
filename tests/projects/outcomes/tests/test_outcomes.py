"""One test for each way a test can end."""

import logging
import sys

import pytest
from shop import price


@pytest.fixture
def broken_before():
    raise RuntimeError("no database today")


@pytest.fixture
def broken_after():
    yield
    raise OSError("could not close the cash desk")


def test_passes():
    sys.stdout.write("tea costs 3\n")
    assert price("tea") == 3


def test_fails_by_assertion():
    sys.stdout.write("before the failure\n")
    sys.stderr.write("and on the other stream\n")
    logging.getLogger("shop").warning("a log line")
    assert price("tea") == 4, "tea became cheaper: 3 instead of 4"


def test_fails_below():
    price("coffee")


def test_fails_in_words():
    pytest.fail("the shop is closed\non sundays\n\nand here follows a lot of detail")


def test_fails_before(broken_before):
    raise AssertionError("never reached")


def test_fails_after(broken_after):
    assert price("tea") == 3


def test_fails_twice(broken_after):
    raise AssertionError("first in the test")


def test_wants_an_unknown_fixture(no_such_fixture):
    raise AssertionError("never reached")


def test_skips_itself():
    pytest.skip("no coffee in stock")


@pytest.mark.skip(reason="closed for repairs")
def test_is_skipped():
    raise AssertionError("never reached")


@pytest.mark.xfail(reason="known: no discount yet")
def test_is_expected_to_fail():
    assert price("tea") == 2


@pytest.mark.xfail(reason="known: no discount yet")
def test_passes_unexpectedly():
    assert price("tea") == 3


@pytest.mark.xfail(reason="known: no discount yet", strict=True)
def test_passes_against_a_strict_mark():
    assert price("tea") == 3


@pytest.mark.parametrize(
    "word", ["plain", "a b", "x::y", "[z]", "ä", "", "a/b.py", "line\nbreak"], ids=lambda word: word
)
def test_odd_names(word):
    assert word != "a b", f"{word!r} is refused"


class TestGroup:
    def test_in_a_class(self):
        assert price("tea") == 3
