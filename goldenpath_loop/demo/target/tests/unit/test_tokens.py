"""Issuing and verifying tokens."""

import pytest

from auth.tokens import InvalidToken, Tokens

SECRET = "a secret for tests that is long enough"


def test_token_names_its_user():
    tokens = Tokens(SECRET)
    assert tokens.verify(tokens.issue("ada"))["sub"] == "ada"


def test_token_of_another_secret_is_refused():
    with pytest.raises(InvalidToken):
        Tokens(SECRET).verify(Tokens(SECRET[::-1]).issue("ada"))


def test_old_token_is_refused():
    tokens = Tokens(SECRET, lifetime_s=-1)
    with pytest.raises(InvalidToken):
        tokens.verify(tokens.issue("ada"))
