"""The site file: what is installed where. The shape of each part; how the parts refer to each other is `config.check`.

Pure: it is read elsewhere. Seconds end in `_s`. Ids are `[a-z0-9_-]{1,64}` and unique in the whole file, because
events name them as source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Union

from pydantic import Field, StringConstraints

from drivers.profiles.words import CardFormat
from drivers.protocols import BUSES
from drivers.wiring import BusPart, Port, Seconds, Written

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]
PointRef = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}\.[a-z0-9_-]{1,64}$")]
"""`device.point`."""


class Part(Written):
    """A part of a site file."""


class Name(Part):
    """What people read, in both languages."""

    zh: str
    """In Chinese."""
    en: str
    """In English."""


# --- Buses: one wire each

if TYPE_CHECKING:
    AnyBus = BusPart
else:
    AnyBus = Annotated[Union[tuple(BUSES.values())], Field(discriminator="kind")]  # noqa: UP007 - of a tuple
"""Any bus of the protocols that there are (`drivers.protocols`)."""


# --- Devices


class Device(Part):
    """Something on a bus that a profile describes."""

    profile: str
    """Which product it is: the id of a profile."""
    bus: Id
    """The wire that it hangs on."""
    name: Name | None = None
    """What people call it; without it, the profile's name."""
    place: Name | None = None
    """Where it stands."""
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    """Modbus unit, OSDP or M-Bus address; no two alike on one bus."""
    address: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{1,20}$")] | None = None
    """The address of a meter on its line, as it is printed on it."""
    password_file: str | None = None
    """A file with the password for a meter's commands (six digits), relative to the gateway's data folder."""
    card: CardFormat | None = None
    """How this reader sends card numbers, instead of what the profile says."""
    secure: bool = True
    """Whether an OSDP reader is used with a key of its own only; `false`: it speaks in the clear."""
    topic: str | None = None
    """MQTT prefix that replaces `{topic}` in the profile."""
    poll_s: Seconds | None = None
    """How often it is read, instead of what the profile says."""
    scale_by: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = {}
    """Transformer ratios (`ct`, `pt`: 20 for 100/5 A) and other multipliers of the profile, where the meter does not
    tell them; they win over what it tells."""
    deadband: dict[str, Annotated[float, Field(ge=0)]] = {}
    """For points by name: changes smaller than this are not worth a report, instead of what the profile says."""
    allow_commands: list[str] = []
    """Commands of the profile that are there only by leave (`opt_in`): lifts are read and not told anything."""
    verify: bool | None = None
    """Whether outputs are read back after each write, instead of what the profile says."""
    meter_no: str | None = None
    """The meter's own number, for registers that money hangs on."""


class Output(Part):
    """Something to switch: an output of a device, timed by the device itself where it can."""

    device: Id
    """The device that has the output."""
    output: str
    """Its name in the device's profile: `relay_1`."""


class Input(Part):
    """A contact: a yes-or-no point of a device."""

    device: Id
    """The device that has the point."""
    point: str
    """Its name in the device's profile: `input_1`."""
    active: bool = True
    """The value that means open, pressed or occupied."""


class Door(Part):
    """A door: its lock, and what it has of readers and contacts."""

    name: Name
    """What people call it."""
    place: Name | None = None
    """Where it is."""
    reader_in: Id | None = None
    """The reader (a device) on the way in."""
    reader_out: Id | None = None
    """The reader (a device) on the way out."""
    lock: Output
    """What releases the lock."""
    release_s: Seconds = 5.0
    """How long a grant releases the lock."""
    contact: Input | None = None
    """The contact that is active while the door stands open."""
    exit_button: Input | None = None
    """The button that releases the lock from inside."""
    held_s: Seconds = 30.0
    """Standing open for longer is an alarm."""
    zones: list[Id] = []
    """Zones that the door belongs to: a grant for one of them opens it."""
    on_clock_doubt: Literal["grant", "deny"] = "grant"
    """What time-bound grants do while the gateway's clock is in doubt."""


class ModbusBarrier(Part):
    """A barrier with its own controller: commands `open` and `close` and a status point of its profile."""

    kind: Literal["device"]
    """What drives the barrier."""
    device: Id
    """The controller, a device."""
    open: str = "open"
    """The profile's command that lifts it."""
    close: str = "close"
    """The profile's command that lowers it."""
    status: str = "gate_status"
    """The profile's point that says where it is."""
    up: list[str] = ["open"]
    """Labels of `status` that mean: up."""
    down: list[str] = ["closed"]
    """Labels of `status` that mean: down."""


class RelayBarrier(Part):
    """A barrier that a relay's pulse lifts, with end contacts where they are wired."""

    kind: Literal["relay"]
    """What drives the barrier."""
    open: Output
    """The output whose pulse lifts it."""
    close: Output | None = None
    """The output whose pulse lowers it, if it does not close by itself."""
    pulse_s: Seconds = 0.5
    """How long a pulse lasts."""
    up: Input | None = None
    """The contact at its upper end."""
    down: Input | None = None
    """The contact at its lower end."""


class CameraBarrier(Part):
    """A barrier on the camera's own output: the camera lifts it when its push is answered "ok"."""

    kind: Literal["camera"]
    """What drives the barrier."""


AnyBarrier = Annotated[ModbusBarrier | RelayBarrier | CameraBarrier, Field(discriminator="kind")]


ShortText = Annotated[str, StringConstraints(min_length=1, max_length=16, strip_whitespace=True)]


class LaneDisplay(Part):
    """What drivers see and hear at a lane, by way of its camera: the plate and a few words."""

    speaks: Literal["camera", "board", "nobody"] = "camera"
    """Who says the words: the camera's own voice, or a text-and-voice board on its serial port."""
    shows: Literal["board", "nothing"] = "nothing"
    """Whether such a board shows the plate and the words."""
    channel: Literal[0, 1] = 0
    """The camera's serial port that the board hangs on."""
    granted: ShortText = "欢迎光临"
    """Words for who may pass."""
    denied: ShortText = "请稍候"
    """Words for who has to wait."""


class Lane(Part):
    """A lane for vehicles, with its one actuator."""

    name: Name
    """What people call it."""
    place: Name | None = None
    """Where it is."""
    direction: Literal["in", "out"]
    """Which way vehicles go."""
    camera: Id
    """The plate camera, a device."""
    barrier: AnyBarrier
    """What lifts the barrier."""
    display: LaneDisplay | None = None
    """What drivers see and hear, where the camera can tell them."""
    loop_before: Input | None = None
    """The loop before the barrier."""
    loop_under: Input | None = None
    """The loop below the barrier: a vehicle that left it has passed."""
    visitors: Literal["admit", "ask", "refuse"] = "ask"
    """What an unknown plate meets: admitted as a visitor, left to the guard, or refused."""
    confidence: Annotated[float, Field(ge=0, le=1)] = 0.8
    """Reads below it are not acted on."""
    repeat_s: Seconds = 10.0
    """The same plate within this time is the same arrival."""
    fresh_s: Annotated[float, Field(ge=5, le=120)] = 30.0
    """A read that comes later than this, by its camera's own clock and what is known of its error, opens nothing."""
    zones: list[Id] = []
    """Zones that the lane belongs to: a grant for one of them opens it."""


class Zone(Part):
    """A part of the site that grants may name."""

    name: Name
    """What people call it."""


class Meter(Part):
    """A register that money hangs on, told every 15 minutes and on demand."""

    point: PointRef
    """The point that it is read from: `meter-main.energy_import`."""
    name: Name
    """What people call it."""
    register_: Annotated[str, Field(alias="register")] = "total"
    """Which register of the meter it is."""


class Uplink(Part):
    """The way to the hub: its broker."""

    host: str = "127.0.0.1"
    """Address or name of the hub's broker."""
    port: Port = 1883
    """TCP port of the hub's broker."""
    shard: Id = "s1"
    """Which share of the hub's work this gateway belongs to."""
    username: str | None = None
    """The gateway's name at the broker."""
    password_file: str | None = None
    """A file that holds nothing but the password, relative to the gateway's data folder."""
    tls: bool = False
    """Speak TLS, and trust the authorities that this machine trusts."""
    ca_file: str | None = None
    """Speak TLS, and trust this authority (a PEM file, relative to the gateway's data folder)."""
    in_clear: bool = False
    """The password may go to another machine without TLS: nobody else can listen on the way."""


class HomeAssistant(Part):
    """A Home Assistant at the site that is shown its points, doors and lanes, over the site's own broker."""

    bus: Id
    """The MQTT bus whose broker it listens to."""
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "homeassistant"
    """Its discovery prefix."""
    language: Literal["zh", "en"] = "zh"
    """What things are called there."""
    commands: bool = False
    """Whether it may unlock doors and open barriers; every such command is recorded like a person's."""


class Site(Part):
    """One site file, whole. Ids of doors, lanes and devices are unique."""

    site: Id
    """The site's id."""
    name: Name
    """What people call the site."""
    gateway: Id
    """The id of the gateway that runs the site."""
    timezone: str = "Asia/Shanghai"
    """The site's time zone, as IANA names it."""
    uplink: Uplink | None = None
    """The way to the hub; without it the site stands alone."""
    buses: dict[Id, AnyBus]
    """The wires, by id."""
    devices: dict[Id, Device]
    """What hangs on the wires, by id."""
    doors: dict[Id, Door] = {}
    """The doors, by id."""
    lanes: dict[Id, Lane] = {}
    """The lanes, by id."""
    zones: dict[Id, Zone] = {}
    """Parts of the site that grants may name, by id."""
    meters: dict[Id, Meter] = {}
    """Registers that money hangs on, by id."""
    rules: list[str] = []
    """Rule files, relative to this file."""
    profiles: list[str] = []
    """Folders with profiles of this site's own, relative to this file; they add to the built-in ones."""
    home_assistant: HomeAssistant | None = None
    """Shows the site to a Home Assistant; without it nothing is told."""
