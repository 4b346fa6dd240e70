"""The site file: what is installed where. The shape of each part; how the parts refer to each other is `config.check`.

Units: seconds end in `_s`. Ids are `[a-z0-9_-]{1,64}` and unique in the whole file, because events name them as source.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]
PointRef = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}\.[a-z0-9_-]{1,64}$")]
"""`device.point`."""

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Part(BaseModel):
    """A part of a file that people write: an unknown word is an error, not a surprise later."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class Name(Part):
    """What people read, in both languages."""

    zh: str
    en: str


# --- Buses: one wire each


class ModbusTcpBus(Part):
    """A Modbus TCP endpoint (one device, or a converter with several units behind it)."""

    kind: Literal["modbus-tcp"]
    host: str
    port: Port = 502
    timeout_s: Seconds = 1.0


class ModbusRtuBus(Part):
    """A serial line with Modbus RTU units."""

    kind: Literal["modbus-rtu"]
    port: str
    baud: int = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    timeout_s: Seconds = 0.3


class SerialLineBus(Part):
    """A serial line with one reader that sends lines of text."""

    kind: Literal["line-serial"]
    port: str
    baud: int = 9600
    parity: Literal["N", "E", "O"] = "N"


class TcpLineBus(Part):
    """One reader that sends lines of text over TCP; the gateway dials it."""

    kind: Literal["line-tcp"]
    host: str
    port: Port


class MqttBus(Part):
    """The site's own broker, which MQTT devices speak through. `username`, `password_file`: where it asks for them."""

    kind: Literal["mqtt"]
    host: str
    port: Port = 1883
    username: str | None = None
    password_file: str | None = None


class HttpPushBus(Part):
    """Devices that push to the gateway's own web server under `/push/<device>`; they come from `allow` only.

    `allow`: CIDR ranges; empty: this machine only.
    """

    kind: Literal["http-push"]
    allow: list[str] = []


AnyBus = Annotated[
    ModbusTcpBus | ModbusRtuBus | SerialLineBus | TcpLineBus | MqttBus | HttpPushBus, Field(discriminator="kind")
]


# --- Devices


class Device(Part):
    """Something on a bus that a profile describes.

    `unit`: Modbus unit. `topic`: MQTT prefix that replaces `{topic}` in the profile. `poll_s`: overrides the profile's.
    `scale_by`: values of the profile's multipliers (`pt`, `ct`) when they are not read from the meter.
    `meter_no`: the meter's own number, for registers that money hangs on.
    """

    profile: str
    bus: Id
    name: Name | None = None
    place: Name | None = None
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    topic: str | None = None
    poll_s: Seconds | None = None
    scale_by: dict[str, float] = {}
    meter_no: str | None = None


class Output(Part):
    """Something to switch: an output of a device, held for `pulse_s` where the profile can time it."""

    device: Id
    output: str


class Input(Part):
    """A contact: a boolean point of a device. `active`: the value that means open / pressed / occupied."""

    device: Id
    point: str
    active: bool = True


class Door(Part):
    """A door. Readers are device ids. `release_s`: how long a grant releases the lock.

    `held_s`: open for longer is an alarm.
    `on_clock_doubt`: what time-bound grants do while the clock is in doubt.
    """

    name: Name
    place: Name | None = None
    reader_in: Id | None = None
    reader_out: Id | None = None
    lock: Output
    release_s: Seconds = 5.0
    contact: Input | None = None
    exit_button: Input | None = None
    held_s: Seconds = 30.0
    zones: list[Id] = []
    on_clock_doubt: Literal["grant", "deny"] = "grant"


class ModbusBarrier(Part):
    """A barrier with its own controller: commands `open` and `close` and a status point of its profile."""

    kind: Literal["device"]
    device: Id
    open: str = "open"
    close: str = "close"
    status: str = "gate_status"
    up: list[str] = ["open"]
    down: list[str] = ["closed"]


class RelayBarrier(Part):
    """A barrier that a relay's pulse lifts, with end contacts where they are wired."""

    kind: Literal["relay"]
    open: Output
    close: Output | None = None
    pulse_s: Seconds = 0.5
    up: Input | None = None
    down: Input | None = None


class CameraBarrier(Part):
    """A barrier on the camera's own output: the camera lifts it when its push is answered "ok"."""

    kind: Literal["camera"]


AnyBarrier = Annotated[ModbusBarrier | RelayBarrier | CameraBarrier, Field(discriminator="kind")]


class Lane(Part):
    """A lane for vehicles, with its one actuator.

    `visitors`: what an unknown plate meets: admitted as a visitor, refused, or left to the guard (`ask`).
    `confidence`: reads below it are not acted on. `repeat_s`: the same plate within this time is the same arrival.
    """

    name: Name
    place: Name | None = None
    direction: Literal["in", "out"]
    camera: Id
    barrier: AnyBarrier
    loop_before: Input | None = None
    loop_under: Input | None = None
    visitors: Literal["admit", "ask", "refuse"] = "ask"
    confidence: Annotated[float, Field(ge=0, le=1)] = 0.8
    repeat_s: Seconds = 10.0
    zones: list[Id] = []


class Zone(Part):
    """A part of the site that grants may name."""

    name: Name


class Meter(Part):
    """A register that money hangs on: `point` is read into a `meter.read` event every 15 minutes and on demand."""

    point: PointRef
    name: Name
    register_: Annotated[str, Field(alias="register")] = "total"


class Uplink(Part):
    """The hub's broker. `password_file`: relative to the gateway's data folder. `ca_file`: TLS with this authority."""

    host: str = "127.0.0.1"
    port: Port = 1883
    shard: Id = "s1"
    username: str | None = None
    password_file: str | None = None
    ca_file: str | None = None


class Site(Part):
    """One site file, whole. `rules`: rule files, relative to this file. Ids of doors, lanes and devices are unique."""

    site: Id
    name: Name
    gateway: Id
    timezone: str = "Asia/Shanghai"
    uplink: Uplink | None = None
    buses: dict[Id, AnyBus]
    devices: dict[Id, Device]
    doors: dict[Id, Door] = {}
    lanes: dict[Id, Lane] = {}
    zones: dict[Id, Zone] = {}
    meters: dict[Id, Meter] = {}
    rules: list[str] = []
