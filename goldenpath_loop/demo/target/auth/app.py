"""The HTTP interface of the auth service."""

import json

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.accounts import STAGING_ACCOUNTS, Accounts
from auth.tokens import InvalidToken, Tokens
from chatlib import paths
from chatlib.health import Health
from chatlib.logs import get_logger, record
from chatlib.replies import refuse, reply
from chatlib.request_id import RequestId
from chatlib.settings import required

log = get_logger("auth")


async def login(request: Request) -> Response:
    """A token for a user and a password."""
    try:
        form = await request.json()
        user, password = str(form["user"]), str(form["password"])
    except (json.JSONDecodeError, KeyError, TypeError):
        return refuse(400, "invalid_login", "user and password are needed")

    if not request.app.state.accounts.password_is_right(user, password):
        record(log, "login.refused", user=user)
        return refuse(401, "wrong_credentials", "user or password is wrong")

    tokens: Tokens = request.app.state.tokens
    record(log, "login.accepted", user=user)
    return reply({"token": tokens.issue(user), "user": user, "expires_in": tokens.lifetime_s})


async def verify(request: Request) -> Response:
    """Whom the bearer token of this request names."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return refuse(401, "missing_token", "a bearer token is needed")

    try:
        claims = request.app.state.tokens.verify(token)
    except InvalidToken as reason:
        record(log, "token.refused", reason=reason)
        return refuse(401, "invalid_token", str(reason))

    return reply({"user": claims["sub"], "expires_at": claims["exp"]})


async def providers(request: Request) -> Response:
    """How people can log in."""
    return reply({"providers": [{"name": "password", "available": True}]})


def create_app() -> Starlette:
    """The application, with the staging accounts in place."""
    tokens = Tokens(required("SERVICE_SECRET"))
    accounts = Accounts()
    for user, password in STAGING_ACCOUNTS.items():
        accounts.add(user, password)

    health = Health("auth", {"database": accounts.check})
    app = Starlette(
        routes=[
            Route(paths.HEALTH, health.full),
            Route(paths.LIVE, health.live),
            Route(paths.LOGIN, login, methods=["POST"]),
            Route(paths.VERIFY, verify),
            Route(paths.PROVIDERS, providers),
        ],
        middleware=[Middleware(RequestId)],
    )
    app.state.tokens = tokens
    app.state.accounts = accounts
    return app
