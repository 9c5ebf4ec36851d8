"""Who sits at the terminal, as far as the machine knows."""

from __future__ import annotations

import getpass
import socket

__all__ = ["person"]


def person() -> str:
    """`user@host`."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = "somebody"
    return f"{user}@{socket.gethostname()}"
