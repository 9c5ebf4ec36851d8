"""The built-in target: a small chat platform of real processes, with a history and a fault in it."""

from __future__ import annotations

from goldenpath_loop.demo.scenarios import SCENARIOS, Scenario
from goldenpath_loop.demo.site import DemoSite, write_demo

__all__ = ["SCENARIOS", "DemoSite", "Scenario", "write_demo"]
