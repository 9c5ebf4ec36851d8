"""Starts a service: settings, then the application, then the server."""

import logging
import signal
import sys
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from chatlib.logs import get_logger, record
from chatlib.settings import MissingSetting, port

EX_CONFIG = 78


def is_worth_a_line(entry: logging.LogRecord) -> bool:
    """False for what uvicorn says after every handshake that was refused with a body."""
    return not entry.getMessage().startswith("ASGI callable returned without completing handshake")


def serve(service: str, create_app: Callable[[], ASGIApp]) -> None:
    """Serve until SIGTERM; exits with 78 when a setting is missing."""
    try:
        app = create_app()
        listen_on = port()
    except MissingSetting as missing:
        print(f"{service}: cannot start: {missing}", file=sys.stderr)
        raise SystemExit(EX_CONFIG) from None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    logging.getLogger("uvicorn.error").addFilter(is_worth_a_line)
    record(get_logger(service), "service.starting", port=listen_on)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=listen_on,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
