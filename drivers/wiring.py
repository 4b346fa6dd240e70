"""What a site file says of a wire and of what hangs on it: the shapes that each protocol's `wires` fills in. Pure.

Nothing here opens anything: the checker of site files and the gateway share these, whichever drivers are loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple, Protocol, get_args

from pydantic import BaseModel, ConfigDict, Field

from contract.texts import Text
from drivers.profiles.cardforms import Way
from drivers.profiles.head import Place
from drivers.profiles.profile import Profile
from drivers.profiles.words import CardFormat

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Written(BaseModel):
    """A part of a file that people write: an unknown word is an error, not a surprise later."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class BusPart(Written):
    """A bus of a site file: one wire. `kind`, a word of its own in each, says what it carries."""

    opening: ClassVar[str]
    """The module whose `OPENING` opens it: loaded where a site has such a wire."""
    dialled: ClassVar[bool] = True
    """Whether the gateway opens it; else devices come by themselves."""
    units: ClassVar[range | None] = None
    """The units that a device on it can have, where not every one can be."""
    other_unit: ClassVar[Text] = Text("地址不对", "no such unit")
    """What is said of any other."""

    kind: str
    """What the wire carries."""

    @classmethod
    def named(cls) -> str:
        """The word for `kind`."""
        word: str = get_args(cls.model_fields["kind"].annotation)[0]
        return word

    @property
    def wire(self) -> tuple[str, ...] | None:
        """The wire itself, which has one owner: no two buses may be on it. None: it can be shared."""
        return None

    def faults(self) -> Iterator[tuple[Place, Text]]:
        """What its shape allows and that still cannot be meant."""
        return iter(())


class TcpBus(BusPart):
    """A wire that is dialled: a device, or a converter."""

    host: str
    """Address or name of the other end."""
    port: Port
    """TCP port of the other end."""

    @property
    def wire(self) -> tuple[str, ...] | None:
        """Its endpoint."""
        return self.host, str(self.port)


class SerialBus(BusPart):
    """A serial line of this machine."""

    port: str
    """The serial port: `/dev/ttyS1`."""

    @property
    def wire(self) -> tuple[str, ...]:
        """Its port."""
        return (self.port,)


class Installed(Protocol):
    """What a site file says of a device (`config.site.Device` fits)."""

    @property
    def unit(self) -> int: ...

    @property
    def address(self) -> str | None: ...

    @property
    def topic(self) -> str | None: ...

    @property
    def poll_s(self) -> float | None: ...

    @property
    def scale_by(self) -> dict[str, float]: ...

    @property
    def card(self) -> CardFormat | None: ...

    @property
    def password_file(self) -> str | None: ...

    @property
    def secure(self) -> bool: ...


class Hanging(NamedTuple):
    """A device and where it hangs. `others`: the ids of the bus's other devices."""

    device: Installed
    profile: Profile
    bus: str
    others: Sequence[str]


class Address(NamedTuple):
    """What tells a device from the others of its bus.

    `word`: the key in the site file; `found`: what stands there; `alike`: what no two of a bus may share, None if this
    device has no such thing. `wrong`: what should stand there; `doubt`: what should be looked at again.
    """

    word: str
    found: str
    alike: str | None = None
    wrong: Text | None = None
    doubt: Text | None = None


TWICE = Text("线路 {bus} 上 {owner} 已用此地址", "{owner} already has this address on {bus}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wires:
    """How the products of a protocol hang on wires.

    `address`: what tells a device from others, None if nothing needs to; `twice`: the words for two that are alike
    (`{bus}`, `{owner}`). `cards`: how its readers tell a card, None if it has no readers. `secure`: whether a device
    may be told to do without a key. `speaks_first`: devices say something when they have something to say.
    """

    buses: tuple[type[BusPart], ...]
    address: Callable[[Hanging], Address | None] = lambda _: None
    twice: Text = TWICE
    cards: Way | None = None
    secure: bool = False
    speaks_first: bool = False

    @property
    def kinds(self) -> frozenset[str]:
        """The words for its buses."""
        return frozenset(bus.named() for bus in self.buses)


def by_unit(of: Hanging) -> Address:
    """A device that is told by its `unit`."""
    return Address("unit", str(of.device.unit), alike=str(of.device.unit))


def alone(of: Hanging) -> Address:
    """A device that has a wire to itself."""
    return Address("bus", of.bus, alike=of.bus)
