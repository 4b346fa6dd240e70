"""Drivers run on the loop that a gateway runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """uvloop: its transports are none of asyncio's classes, and what suits only those would break in service."""
    return {"uvloop": uvloop.new_event_loop}
