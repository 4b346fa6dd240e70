"""Figures that no single event changes: read when Prometheus asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.pool import QueuePool

from hub.database.transactions import Database


class PoolFigures(Collector):
    """How many of the database's connections are in use."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures now."""
        pool = self._database.engine.pool
        if isinstance(pool, QueuePool):
            used = GaugeMetricFamily("gatehouse_database_connections", "Connections of the pool", labels=["state"])
            used.add_metric(["used"], pool.checkedout())
            used.add_metric(["idle"], pool.checkedin())
            yield used


def watch(database: Database, *others: Collector) -> Callable[[], None]:
    """Show the database's figures, and those of others, at /metrics; returns how to end it."""
    shown = (PoolFigures(database), *others)
    for figures in shown:
        REGISTRY.register(figures)

    def end() -> None:
        for figures in shown:
            REGISTRY.unregister(figures)

    return end
