"""The demo of each scenario, written once for all tests that only look at it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from goldenpath_loop.demo import DemoSite, write_demo


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], DemoSite]:
    """Gives the site of a scenario. Tests that change one write their own."""
    written: dict[str, DemoSite] = {}

    def of(scenario: str) -> DemoSite:
        if scenario not in written:
            written[scenario] = write_demo(tmp_path_factory.mktemp(scenario), scenario)
        return written[scenario]

    return of


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[str], DemoSite]:
    """Writes a site of the test's own."""
    return lambda scenario: write_demo(tmp_path / scenario, scenario)
