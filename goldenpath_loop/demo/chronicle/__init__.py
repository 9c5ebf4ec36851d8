"""The story of the target's history, oldest commit first."""

from __future__ import annotations

from goldenpath_loop.demo.chronicle.founding import FOUNDING
from goldenpath_loop.demo.chronicle.growing import GROWING
from goldenpath_loop.demo.chronicle.settling import SETTLING
from goldenpath_loop.demo.history import Step

__all__ = ["STEPS"]

STEPS: tuple[Step, ...] = (*FOUNDING, *GROWING, *SETTLING)
