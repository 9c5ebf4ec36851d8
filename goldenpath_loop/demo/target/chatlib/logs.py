"""One line a happening, on stderr: time, level, service, event, fields."""

import logging
import sys


def get_logger(service: str) -> logging.Logger:
    """The logger of a service; safe to call more than once."""
    log = logging.getLogger(service)
    if not log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
    return log


def line(event: str, fields: dict[str, object]) -> str:
    """One event with its fields as key=value."""
    return " ".join([event, *(f"{name}={value}" for name, value in fields.items())])


def record(log: logging.Logger, event: str, **fields: object) -> None:
    """Write one event."""
    log.info("%s", line(event, fields))


def warn(log: logging.Logger, event: str, **fields: object) -> None:
    """Write one event that somebody should look at."""
    log.warning("%s", line(event, fields))


def fail(log: logging.Logger, event: str, **fields: object) -> None:
    """Write one event and the exception that is being handled."""
    log.exception("%s", line(event, fields))
