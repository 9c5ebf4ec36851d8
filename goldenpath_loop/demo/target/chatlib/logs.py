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


def record(log: logging.Logger, event: str, **fields: object) -> None:
    """Write one event with its fields as key=value."""
    details = " ".join(f"{name}={value}" for name, value in fields.items())
    log.info("%s %s", event, details)
