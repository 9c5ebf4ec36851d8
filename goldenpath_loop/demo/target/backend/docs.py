"""The description of the HTTP interface, for programs and for people."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from chatlib.replies import reply
from chatlib.version import VERSION


def described(route: Route) -> dict[str, object]:
    """One path of the description; the handler's docstring is the summary."""
    summary = (route.endpoint.__doc__ or "").strip().partition("\n")[0]
    methods = sorted((route.methods or {"GET"}) - {"HEAD"})
    return {method.lower(): {"summary": summary} for method in methods}


async def openapi(request: Request) -> Response:
    """This interface in the form of OpenAPI."""
    interface: dict[str, dict[str, object]] = {}
    for route in request.app.routes:
        if isinstance(route, Route):
            interface.setdefault(route.path, {}).update(described(route))
    return reply(
        {
            "openapi": "3.1.0",
            "info": {"title": "Chat platform", "version": VERSION},
            "paths": interface,
        }
    )


async def docs_page(request: Request) -> Response:
    """The same as a page to read."""
    rows = "".join(
        f"<li><code>{route.path}</code></li>"
        for route in request.app.routes
        if isinstance(route, Route)
    )
    return HTMLResponse(f"<h1>Chat platform {VERSION}</h1><ul>{rows}</ul>")
