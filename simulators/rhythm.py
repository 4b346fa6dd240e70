"""The rhythm of a site: who comes when. Pure: it is asked how long until the next visit, and what the visit is."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from config.site import Door, Site
from simulators.people import Carrier, People

WAIT_FROM_S, WAIT_UNTIL_S = 2.5, 15.0
"""Between two visits: a watcher never waits longer than the second."""

REFUSED_SHARE = 0.05
TIMED_SHARE = 0.1
"""People whose hours it may be, or not: staff, cleaners, tenants whose lease ended."""

BLOCKED_SHARE = 0.02
VISITOR_SHARE = 0.35
INSIDE_LIMIT = 60
_PROVINCES = "沪沪沪沪沪苏苏浙浙皖京粤鲁豫"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Visit:
    """Something happens: a card at a reader, a plate at a lane, or (no value) somebody presses a door's exit button."""

    place: str
    value: str | None
    by: str


class Rhythm:
    """Draws visits. Cars that came in go out again some time."""

    def __init__(self, site: Site, people: People, seed: int) -> None:
        self._site = site
        self._people = people
        self._rng = Random(seed)
        self._inside: list[str] = []

    def wait_s(self, hour: float) -> float:
        """Seconds until the next visit: shorter at the peaks of the day."""
        mean = 11.0 - 5.0 * max(_peak(hour, 8.0), _peak(hour, 18.5)) - 2.0 * _peak(hour, 12.5)
        return min(WAIT_UNTIL_S, max(WAIT_FROM_S, self._rng.gauss(mean, 2.5)))

    def visit(self) -> Visit | None:
        """The next visit; None where the site has neither doors nor lanes."""
        drives = bool(self._site.lanes) and self._rng.random() < 0.42
        if drives or not self._site.doors:
            return self._drive() if self._site.lanes else None
        return self._walk()

    # --- On foot

    def _walk(self) -> Visit:
        door_id = self._rng.choice(list(self._site.doors))
        door = self._site.doors[door_id]
        if door.exit_button is not None and self._rng.random() < 0.4:
            return Visit(door_id, None, "exit")
        readers = [reader for reader in (door.reader_in, door.reader_out) if reader is not None]
        if not readers:
            return Visit(door_id, None, "exit")
        return Visit(self._rng.choice(readers), self._card(door_id, door), "card")

    def _card(self, door_id: str, door: Door) -> str:
        here = {door_id, *door.zones}
        fitting = [c for c in self._people.cards if c.places & here]
        timed = [c for c in self._people.cards if c.sometimes & here]
        chance = self._rng.random()
        if not (fitting or timed) or chance < REFUSED_SHARE:
            stranger = f"04{self._rng.getrandbits(48):012X}"
            others = [c.value for c in self._people.cards if c not in fitting and c not in timed]
            return self._rng.choice([stranger, *self._people.refused_cards, *others[:6]])
        if timed and (not fitting or chance < REFUSED_SHARE + TIMED_SHARE):
            return self._rng.choice(timed).value
        return self._rng.choice(fitting).value

    # --- By car

    def _drive(self) -> Visit:
        outs = [id_ for id_, lane in self._site.lanes.items() if lane.direction == "out"]
        ins = [id_ for id_, lane in self._site.lanes.items() if lane.direction == "in"]
        leaves = bool(outs) and (not ins or (bool(self._inside) and self._rng.random() < _pull(len(self._inside))))
        if leaves:
            plate = self._inside.pop(self._rng.randrange(len(self._inside))) if self._inside else self._plate()
            return Visit(self._rng.choice(outs), plate, "plate")
        plate = self._plate()
        if plate not in self._people.blocked_plates:
            self._inside = [*self._inside, plate][-INSIDE_LIMIT:]
        return Visit(self._rng.choice(ins), plate, "plate")

    def _plate(self) -> str:
        if self._people.blocked_plates and self._rng.random() < BLOCKED_SHARE:
            return self._rng.choice(self._people.blocked_plates)
        at_home: list[Carrier] = [c for c in self._people.plates if c.value not in self._inside]
        if at_home and self._rng.random() > VISITOR_SHARE:
            return self._rng.choice(at_home).value
        return random_plate(self._rng)


def random_plate(rng: Random) -> str:
    """A plate that could be anybody's: five signs, or six with a letter in front for an electric car."""
    head = rng.choice(_PROVINCES) + rng.choice("ABCDEFGH")
    if rng.random() < 0.3:
        return f"{head}{rng.choice('DF')}{rng.randrange(100000):05d}"
    signs = [rng.choice("0123456789") for _ in range(5)]
    if rng.random() < 0.5:
        signs[rng.randrange(5)] = rng.choice(_LETTERS)
    return head + "".join(signs)


def _pull(inside: int) -> float:
    """The fuller the site, the more often somebody leaves."""
    return min(0.9, 0.15 + inside / 25)


def _peak(hour: float, at: float) -> float:
    distance = min(abs(hour - at), 24 - abs(hour - at))
    return max(0.0, 1 - distance / 3)
