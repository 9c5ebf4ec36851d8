"""`loop` as a person types it, in a process whose plug will be pulled: the first argument says where."""

from __future__ import annotations

import sys

from goldenpath_loop.cli.app import main as typed
from tests.crashes.plug import Point, arm

__all__ = ["main"]


def main() -> None:
    """Arm the plug, then be the real command."""
    arm(Point.from_json(sys.argv.pop(1)))
    typed()
