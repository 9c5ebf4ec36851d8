"""Who is calling: the backend keeps no secret, it asks the auth service."""

import httpx
from starlette.requests import HTTPConnection

from chatlib import paths
from chatlib.logs import get_logger, record
from chatlib.replies import refuse

TOKEN_PROTOCOL = "jwt."
VERIFY_TIMEOUT_S = 5.0

log = get_logger("backend")


class Unidentified(Exception):
    """The caller cannot be told; carries the answer to give."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.answer = refuse(status, code, message)


def bearer_token(connection: HTTPConnection) -> str:
    """The token of a request, from its header or, for browsers, from a subprotocol."""
    scheme, _, token = connection.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()

    offered = connection.headers.get("Sec-WebSocket-Protocol", "")
    for protocol in (part.strip() for part in offered.split(",")):
        if protocol.startswith(TOKEN_PROTOCOL):
            return protocol.removeprefix(TOKEN_PROTOCOL)
    return ""


class Identity:
    """Asks the auth service whom a token names."""

    def __init__(self, auth_url: str) -> None:
        self.client = httpx.AsyncClient(
            base_url=auth_url, timeout=VERIFY_TIMEOUT_S, trust_env=False
        )

    async def user_of(self, connection: HTTPConnection) -> str:
        """The user a request comes from.

        Raises:
            Unidentified: no token, a refused one, or no auth service to ask.
        """
        token = bearer_token(connection)
        if not token:
            raise Unidentified(401, "missing_token", "a bearer token is needed")

        try:
            answer = await self.client.get(
                paths.VERIFY, headers={"Authorization": f"Bearer {token}"}
            )
        except httpx.HTTPError as error:
            record(log, "auth.unreachable", error=type(error).__name__)
            raise Unidentified(503, "auth_unavailable", "the auth service is down") from error

        if answer.status_code != 200:
            raise Unidentified(401, "invalid_token", "the token was refused")
        return str(answer.json()["user"])

    async def check(self) -> None:
        """Raise when the auth service does not answer."""
        (await self.client.get(paths.LIVE, timeout=1.0)).raise_for_status()

    async def close(self) -> None:
        """Let go of the connections to the auth service."""
        await self.client.aclose()
