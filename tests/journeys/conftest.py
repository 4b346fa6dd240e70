"""One demo for all journeys: starting a whole site takes seconds, and a site is there to be used by many."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.running import Demo
from tests.leftovers import folder_of_this_process


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """A running demo without rhythm: nothing happens that a test did not do."""
    running = Demo.start(folder_of_this_process() / "demo")
    yield running
    assert running.close() == 0
