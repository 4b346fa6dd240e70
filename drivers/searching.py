"""How a search asks along a line, and how it knows an answer: what each protocol's `search` fills in. Pure.

A request is harmless on a line of another protocol: there it is noise with a wrong check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from contract.texts import Text
from drivers.profiles.profile import Profile
from drivers.protocols import having


class Setting(NamedTuple):
    """How a line is set."""

    baud: int
    parity: str = "N"
    stop_bits: int = 1

    @property
    def character_s(self) -> float:
        """Seconds that one character takes."""
        return (9 + (self.parity != "N") + self.stop_bits) / self.baud

    @property
    def gap_s(self) -> float:
        """The silence that ends a frame."""
        return 3.5 * self.character_s if self.baud <= 19200 else 0.00175


class Hit(NamedTuple):
    """Somebody who answered. `address`: as the protocol writes it; `says`: what its answer told.

    `traits`: what tells its products apart, in the protocol's own words.
    """

    protocol: str
    address: str
    says: Text
    frame: bytes
    traits: Mapping[str, object] = {}


class Ask(NamedTuple):
    """One request of a search. `address`: whom it asks; "" where whoever is there answers.

    `find`: everybody who answers in what came. `at_least_s`: how long the protocol lets a device think. `narrower`:
    what to ask instead if several answer at once; `named`: how much of the address it names already. `before`: said
    first; only if somebody says anything to it, `frame` is asked.
    """

    protocol: str
    address: str
    frame: bytes
    find: Callable[[bytes], list[Hit]]
    at_least_s: float = 0.0
    narrower: Callable[[], list[Ask]] | None = None
    named: str = ""
    before: bytes = b""


class Apart(NamedTuple):
    """One more question that tells products apart. `choose`: those that it can be, by what came; None: wait for more.

    `silent`: those that it can be if nothing more comes within `thinks_s` and `longest` characters.
    """

    frame: bytes
    thinks_s: float
    longest: int
    choose: Callable[[bytes], list[Profile] | None]
    silent: list[Profile]


def by_address(hit: Hit) -> dict[str, object]:
    """A device that a site file addresses by what is printed on it."""
    return {"address": hit.address}


def by_unit(hit: Hit) -> dict[str, object]:
    """A device that a site file addresses by its `unit`."""
    return {"unit": int(hit.address)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How a protocol is searched for. `asks`: what to ask, given the units that were named; `usual`: whether it is met
    with such a setting. `serial`, `tcp`: the site file's buses for it, on a serial port and behind a converter.

    `addressed`: what addresses who answered in a site file. `distinct`: each device once, where one can answer in two
    ways. `suits`: whether it may be that product; `apart`: what to ask where several suit.
    """

    title: Text
    asks: Callable[[list[int]], list[Ask]]
    usual: Callable[[Setting], bool]
    serial: str
    tcp: str
    addressed: Callable[[Hit], dict[str, object]] = by_address
    distinct: Callable[[list[Hit]], list[Hit]] = list
    suits: Callable[[Hit, Profile], bool] = lambda hit, profile: True
    apart: Callable[[Hit, Sequence[Profile]], Apart | None] = lambda hit, products: None


@cache
def searches() -> Mapping[str, Search]:
    """The protocols that can be searched for, by the word for `--protocol`, in the order in which they are asked."""
    return {name: each.part("search", Search) for name, each in having("search").items()}


def distinct(hits: Iterable[Hit]) -> list[Hit]:
    """Each device once."""
    found = list(hits)
    for search in searches().values():
        found = search.distinct(found)
    return found


def matching(hit: Hit, profiles: Sequence[Profile]) -> list[Profile]:
    """The products that a device of another protocol than Modbus may be, by what its answer told."""
    suits = searches()[hit.protocol].suits
    found = [profile for profile in profiles if profile.protocol == hit.protocol and suits(hit, profile)]
    return sorted(found, key=lambda each: (len(each.id), each.id))


def address_of(hit: Hit) -> dict[str, object]:
    """What addresses it in a site file."""
    return searches()[hit.protocol].addressed(hit)


def without_echo(data: bytes, sent: bytes) -> bytes:
    """Some two-wire adapters hear themselves: what was sent is no answer."""
    return data[len(sent) :] if data.startswith(sent) else data
