"""The two shapes of an answer: content, or an error with a code."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response


def reply(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with JSON content."""
    return JSONResponse(content, status_code=status, headers=headers)


def refuse(status: int, code: str, message: str) -> Response:
    """An error: a code for programs, a message for people."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)
