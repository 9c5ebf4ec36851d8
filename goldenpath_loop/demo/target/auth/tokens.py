"""Signed tokens: issued at login, verified for the other services."""

import time
import uuid
from typing import Any

import jwt

ISSUER = "chat-auth"
LIFETIME_S = 3600


class InvalidToken(Exception):
    """The token was not issued here, was changed, or is too old."""


class Tokens:
    """Issues and verifies tokens with one secret."""

    def __init__(self, secret: str, lifetime_s: int = LIFETIME_S) -> None:
        self.secret = secret
        self.lifetime_s = lifetime_s

    def issue(self, user: str) -> str:
        """A token that names the user."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": user,
            "iat": now,
            "exp": now + self.lifetime_s,
            "jti": uuid.uuid4().hex,
        }
        return jwt.encode(claims, self.secret, algorithm="HS256")

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a valid token.

        Raises:
            InvalidToken: the signature, the issuer or the time is wrong.
        """
        try:
            return jwt.decode(token, self.secret, algorithms=["HS256"], issuer=ISSUER)
        except jwt.InvalidTokenError as error:
            raise InvalidToken(str(error)) from error
