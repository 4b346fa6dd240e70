"""What every part of the engine works with, as one thing to hand over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from contract.readings import Reading
from gateway.clock import Clock
from gateway.engine.desk.buses import Buses
from gateway.engine.desk.errands import Errands
from gateway.engine.desk.layout import Names
from gateway.engine.desk.points import Points
from gateway.engine.desk.record import Record
from gateway.engine.desk.refusals import Refusals
from gateway.engine.desk.timers import Timers

ReadingsSink = Callable[[list[Reading]], None]


@dataclass(frozen=True, slots=True)
class Desk:
    """The site's values, names and wires, its record and its clocks. `readings`: where readings are kept."""

    points: Points
    names: Names
    buses: Buses
    record: Record
    errands: Errands
    refusals: Refusals
    readings: ReadingsSink
    timers: Timers
    clock: Clock
