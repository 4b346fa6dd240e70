"""One demo for all journeys: starting a whole site takes seconds, and a site is there to be used by many."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.running import ROOT, Demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A running demo without rhythm: nothing happens that a test did not do."""
    running = Demo.start(ROOT / "var" / "test" / tmp_path_factory.getbasetemp().name / "demo")
    yield running
    assert running.close() == 0
