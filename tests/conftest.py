"""Settings every test shares."""

from __future__ import annotations

import pytest

_WHOLE_RUNS = ("test_scenarios", "test_team", "test_two_engines", "test_library", "test_interruption")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that no core waits for another at the end."""
    items.sort(
        key=lambda item: (
            not {"e2e", "crashes"} & {*item.path.parts},
            item.path.stem not in _WHOLE_RUNS,
        )
    )


@pytest.fixture
def anyio_backend() -> str:
    """The engine runs on asyncio, so its tests do."""
    return "asyncio"
