"""Answers an upgrade request where nothing upgrades as the plain request it also is."""

from starlette.applications import Starlette
from starlette.routing import Match, WebSocketRoute
from starlette.types import Message, Receive, Scope, Send


class UpgradeFallback:
    """Lets a handshake at a plain HTTP path have that path's answer.

    RFC 9110, 7.8: a server may ignore Upgrade and answer as if it were not there. Without this
    the server would close with a bare 403, which looks like a question of rights.
    """

    def __init__(self, app: Starlette) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket" or self.upgrades(scope):
            await self.app(scope, receive, send)
            return
        await receive()

        async def no_body() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def answer(message: Message) -> None:
            await send({**message, "type": f"websocket.{message['type']}"})

        await self.app({**scope, "type": "http", "method": "GET"}, no_body, answer)

    def upgrades(self, scope: Scope) -> bool:
        """Whether a WebSocket route serves this path."""
        return any(
            isinstance(route, WebSocketRoute) and route.matches(scope)[0] is Match.FULL
            for route in self.app.routes
        )
