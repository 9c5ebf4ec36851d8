"""The front page."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from chatlib.version import VERSION

PAGE = f"""<!doctype html>
<title>Chat platform</title>
<h1>Chat platform {VERSION}</h1>
<p>The interface is described under <a href="/docs">/docs</a>.</p>
"""


async def landing(request: Request) -> Response:
    """Where a person who types the bare address ends up."""
    return HTMLResponse(PAGE)
