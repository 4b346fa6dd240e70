"""Fixtures of the simulators' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.simulators.stage import Stage, simulated


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The demo site's simulators, without a gateway."""
    async with simulated(tmp_path) as running:
        yield running
