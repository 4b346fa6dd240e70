"""The gateway's figures for /metrics: read from the running parts when somebody asks, never counted twice."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry
from typing_extensions import TypedDict

from gateway.web.served import Served

PREFIX = "gatehouse_gateway"


class WireCounts(TypedDict):
    """What is counted on each wire."""

    exchanges: int
    timeouts: int
    refused: int
    reconnects: int
    late: int
    overruns: int
    missed: int


BUS_COUNTERS = tuple(WireCounts.__annotations__)


class GatewayFigures(Collector):
    """Buses, journal, decisions, commands, uplink."""

    def __init__(self, gateway: Served) -> None:
        self._gateway = gateway

    def collect(self) -> Iterator[Metric]:
        """Every figure as it is now."""
        yield from self._buses()
        yield from self._journal()
        yield from self._engine()

    def _buses(self) -> Iterator[Metric]:
        buses = self._gateway.engine.buses
        for name in BUS_COUNTERS:
            family = CounterMetricFamily(f"{PREFIX}_bus_{name}", f"Of each wire since start: {name}", labels=["bus"])
            for id, bus in buses.buses.items():
                family.add_metric([id], getattr(bus.health, name))
            yield family
        crashes = CounterMetricFamily(f"{PREFIX}_bus_crashes", "Crashes of each wire's task", labels=["bus"])
        connected = GaugeMetricFamily(f"{PREFIX}_bus_connected", "Whether the wire is open", labels=["bus"])
        for id, bus in buses.buses.items():
            crashes.add_metric([id], buses.crashes[id])
            connected.add_metric([id], bus.health.connected)
        yield crashes
        yield connected
        yield from self._left_out()
        refused = CounterMetricFamily(f"{PREFIX}_inputs_refused", "Input that nobody could read", labels=["wire"])
        for wire, count in self._gateway.engine.refusals.counts.items():
            refused.add_metric([wire], count)
        yield refused

    def _left_out(self) -> Iterator[Metric]:
        words = "Readings of each device that were due and left out"
        overruns = CounterMetricFamily(f"{PREFIX}_device_overruns", f"{words}: its wire is too slow", labels=["device"])
        missed = CounterMetricFamily(f"{PREFIX}_device_missed", f"{words}: it was silent", labels=["device"])
        for bus in self._gateway.engine.buses.buses.values():
            for device, left_out in bus.health.left_out().items():
                overruns.add_metric([device], left_out.overruns)
                missed.add_metric([device], left_out.missed)
        yield overruns
        yield missed

    def _journal(self) -> Iterator[Metric]:
        journal, link = self._gateway.journal, self._gateway.link
        figures = {
            "journal_last": ("Last sequence committed", journal.last),
            "journal_durable": ("Last sequence on the disk", journal.durable),
            "journal_acked": ("Last sequence that the hub acknowledged", journal.acked),
            "journal_waiting": ("Facts in memory that the disk has not taken", journal.waiting),
            "journal_stalled": ("Whether the disk does not record", journal.stalled is not None),
            "backlog": ("Events that the hub has not acknowledged", self._gateway.backlog),
            "readings_backlog": ("Blobs of readings that the hub has not acknowledged", link.readings_backlog),
            "hub_connected": ("Whether the hub is reached", link.connected or 0),
            "hub_refuses": ("Whether the hub refuses this gateway's events", link.refused is not None),
            "clock_doubtful": ("Whether the wall clock is in doubt", self._gateway.clock.state != "ok"),
            "desired_revision": ("Revision that decisions are made by", self._gateway.engine.revision),
        }
        for name, (words, value) in figures.items():
            yield GaugeMetricFamily(f"{PREFIX}_{name}", words, value=float(value))

    def _engine(self) -> Iterator[Metric]:
        engine = self._gateway.engine
        decisions = CounterMetricFamily(f"{PREFIX}_decisions", "Decisions taken", labels=["place", "outcome"])
        for place, counts in (("door", engine.doors.decisions), ("lane", engine.lanes.decisions)):
            for outcome, count in counts.items():
                decisions.add_metric([place, outcome], count)
        yield decisions
        words = "Plate reads that were not of now"
        replayed = CounterMetricFamily(f"{PREFIX}_reads_replayed", words, labels=["camera"])
        for camera, count in engine.lanes.cameras.replayed.items():
            replayed.add_metric([camera], count)
        yield replayed
        words = "How far a camera's clock is ahead of the gateway's, as measured by its reads"
        clocks = GaugeMetricFamily(f"{PREFIX}_camera_clock_error_seconds", words, labels=["camera"])
        for camera in engine.lanes.cameras.replayed:
            error_ms = engine.lanes.cameras.error_ms(camera)
            if error_ms is not None:
                clocks.add_metric([camera], error_ms / 1000)
        yield clocks
        commands = CounterMetricFamily(f"{PREFIX}_commands", "Commands by what became of them", labels=["outcome"])
        for outcome, count in engine.commands.counts.items():
            commands.add_metric([outcome], count)
        yield commands
        alarms = GaugeMetricFamily(f"{PREFIX}_alarms", "Alarms by state", labels=["state"])
        states = [alarm.state for alarm in engine.alarms.alarms.values()]
        for state in dict.fromkeys(states):
            alarms.add_metric([state], states.count(state))
        yield alarms
        faults = {
            "lock_failures": ("Locks that were not let go", engine.doors.lock_failures),
            "barrier_failures": ("Barriers that did not take the wish", engine.lanes.barrier_failures),
            "errands_failed": ("Pieces of work that failed", engine.errands.failed),
            "errands_refused": ("Pieces of work that found no room", engine.errands.refused),
            "records_failed": ("Facts that broke the contract and were not recorded", engine.record.failed),
            "reports_failed": ("Reports of drivers that failed in the engine", engine.crashed),
            "conditions_failed": ("Alarm conditions that failed on good values", engine.alarms.failures),
        }
        for name, (words, count) in faults.items():
            yield CounterMetricFamily(f"{PREFIX}_{name}", words, value=float(count))


def publish(gateway: Served, registry: CollectorRegistry = REGISTRY) -> GatewayFigures:
    """Adds the gateway's figures to what /metrics shows."""
    figures = GatewayFigures(gateway)
    registry.register(figures)
    return figures
