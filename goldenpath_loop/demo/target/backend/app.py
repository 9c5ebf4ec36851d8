"""The application of the backend: routes, state, middleware."""

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from backend.chat import chat_endpoint, describe_chat
from backend.discovery import list_agents, mcp_config, mcp_servers, read_agent, services
from backend.docs import docs_page, openapi
from backend.export import export_thread
from backend.identity import Identity
from backend.messages import add_message, list_messages
from backend.metrics import PipelineMetrics, pipeline_metrics
from backend.store import Store
from backend.threads import (
    create_thread,
    delete_thread,
    list_threads,
    read_thread,
    rename_thread,
)
from chatlib import paths
from chatlib.health import Health
from chatlib.replies import refuse
from chatlib.request_id import RequestId
from chatlib.settings import base_url, optional
from chatlib.upgrade import UpgradeFallback


async def http_error(request: Request, error: Exception) -> Response:
    """Errors of the framework, in the shape of our own."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else "internal error"
    answer = refuse(status, detail.lower().replace(" ", "_"), detail)
    if isinstance(error, HTTPException) and error.headers:
        answer.headers.update(error.headers)
    return answer


def routes(health: Health) -> list[BaseRoute]:
    """Every path of the backend."""
    return [
        Route(paths.HEALTH, health.full),
        Route(paths.LIVE, health.live),
        Route(paths.API_HEALTH, health.full),
        Route(paths.SERVICES, services),
        Route(paths.MCP_CONFIG, mcp_config),
        Route(paths.MCP_SERVERS, mcp_servers),
        Route(paths.AGENTS, list_agents),
        Route(paths.AGENT, read_agent),
        Route(paths.PIPELINE_METRICS, pipeline_metrics),
        Route(paths.THREADS, list_threads),
        Route(paths.THREADS, create_thread, methods=["POST"]),
        Route(paths.THREAD, read_thread),
        Route(paths.THREAD, rename_thread, methods=["PATCH"]),
        Route(paths.THREAD, delete_thread, methods=["DELETE"]),
        Route(paths.MESSAGES, list_messages),
        Route(paths.MESSAGES, add_message, methods=["POST"]),
        Route(paths.EXPORT, export_thread),
        Route(paths.OPENAPI, openapi),
        Route(paths.DOCS, docs_page),
        Route(paths.CHAT, describe_chat),
        WebSocketRoute(paths.CHAT, chat_endpoint),
    ]


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Close what the application opened."""
    yield
    await app.state.identity.close()


def create_app() -> UpgradeFallback:
    """The application as it is served."""
    store = Store(optional("DATA_DIR"))
    identity = Identity(base_url("AUTH_URL"))
    health = Health("backend", {"database": store.check, "auth": identity.check})
    app = Starlette(
        routes=routes(health),
        middleware=[Middleware(RequestId)],
        exception_handlers={HTTPException: http_error},
        lifespan=lifespan,
    )
    app.state.store = store
    app.state.identity = identity
    app.state.metrics = PipelineMetrics()
    return UpgradeFallback(app)
