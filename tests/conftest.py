"""Settings every test shares."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """The engine runs on asyncio, so its tests do."""
    return "asyncio"
