"""From the site to Home Assistant's entities: what is announced, what each thing's state reads as, what is asked. Pure.

Source: home-assistant.io, integration "MQTT" (discovery, sensor, binary sensor, lock, cover). A value that is not good
makes its entity unavailable: what is shown is never older than it looks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from config.site import HomeAssistant
from contract.layout import DeviceLayout, DoorLayout, LaneLayout, PointLayout, SiteLayout
from contract.readings import Value
from contract.texts import Text
from gateway.engine.alarms.episodes import Alarm
from gateway.engine.desk.points import Latest
from gateway.engine.desk.record import Thing

AllowedKind = Literal["door.unlock", "barrier.open"]
"""All that a Home Assistant may ever ask for."""

SHOWN_ALARMS = 10
"""Open alarms whose words go out with a thing's state."""

VALUE_LIMIT = 255
"""Characters of a state (Home Assistant refuses longer ones)."""

UNITS: Mapping[str, str] = {"degC": "°C", "degF": "°F", "%RH": "%", "m3": "m³", "m3/h": "m³/h"}

CLASSES: Mapping[str, str] = {
    "degC": "temperature",
    "degF": "temperature",
    "%RH": "humidity",
    "V": "voltage",
    "mV": "voltage",
    "A": "current",
    "mA": "current",
    "W": "power",
    "kW": "power",
    "kWh": "energy",
    "Hz": "frequency",
    "hPa": "atmospheric_pressure",
    "kPa": "pressure",
    "bar": "pressure",
    "lx": "illuminance",
    "m3/h": "volume_flow_rate",
}
"""Units that leave no doubt what is measured."""

NAMED: Mapping[tuple[str, str], str] = {("battery", "%"): "battery", ("co", "ppm"): "carbon_monoxide"}
FLAGS: Mapping[str, str] = {
    "leak": "moisture",
    "smoke": "smoke",
    "tamper": "tamper",
    "fault": "problem",
    "problem": "problem",
    "motion": "motion",
}
"""Points whose name says what they are."""

COUNTING = frozenset({"kWh"})
COVERS: Mapping[str, str] = {"up": "open", "down": "closed"}
PROBLEM = Text("告警", "Problem")


class Topics(NamedTuple):
    """Where everything is said. `root`: `gatehouse/<site>`; `node`: the site's part of the discovery topics."""

    root: str
    node: str
    prefix: str

    @property
    def presence(self) -> str:
        """Whether the gateway speaks (its last will says if not)."""
        return f"{self.root}/presence"

    def state(self, thing: Thing) -> str:
        """A thing's state: a door, a lane, a point, or a problem (the alarms of something)."""
        return f"{self.root}/{thing.kind}/{thing.id.replace('.', '/')}"

    def config(self, component: str, object_: str) -> str:
        """An entity's announcement."""
        return f"{self.prefix}/{component}/{self.node}/{object_}/config"

    @property
    def configs(self) -> str:
        """Every announcement of this site, as a subscription."""
        return f"{self.prefix}/+/{self.node}/+/config"

    @property
    def states(self) -> str:
        """Everything that this site says, as a subscription."""
        return f"{self.root}/#"

    @property
    def commands(self) -> tuple[str, str]:
        """Where commands come, as subscriptions."""
        return f"{self.root}/door/+/set", f"{self.root}/lane/+/set"


def topics_of(site: str, shown: HomeAssistant) -> Topics:
    """The topics of a site."""
    return Topics(f"gatehouse/{site}", f"gatehouse-{site}", shown.prefix)


def things_of(layout: SiteLayout) -> list[Thing]:
    """Everything whose state is told."""
    return [
        *(Thing("point", point.id) for point in layout.points),
        *(Thing("door", door.id) for door in layout.doors),
        *(Thing("lane", lane.id) for lane in layout.lanes),
        *(Thing("problem", asset) for asset in assets_of(layout)),
    ]


def assets_of(layout: SiteLayout) -> list[str]:
    """Everything that alarms can be about; those of nothing else are the gateway's."""
    return [layout.gateway, *(part.id for part in _parts(layout))]


def _parts(layout: SiteLayout) -> list[DeviceLayout | DoorLayout | LaneLayout]:
    return [*layout.devices, *layout.doors, *layout.lanes]


# --- Announcements


def announcements(layout: SiteLayout, shown: HomeAssistant, software: str) -> dict[str, bytes]:
    """Topic → payload of every entity of the site."""
    topics = topics_of(layout.site, shown)
    said: dict[str, bytes] = {}
    for component, object_, config in _Entities(layout, shown, topics, software).all():
        said[topics.config(component, object_)] = _json(config)
    return said


class _Entities:
    """Every entity of one site."""

    def __init__(self, layout: SiteLayout, shown: HomeAssistant, topics: Topics, software: str) -> None:
        self._layout = layout
        self._shown = shown
        self._topics = topics
        self._software = software
        parts = _parts(layout)
        self._names = {layout.gateway: layout.name} | {part.id: part.name for part in parts}
        self._places = {part.id: part.place for part in parts}
        self._models = {device.id: device.profile for device in layout.devices}

    def all(self) -> Iterator[tuple[str, str, dict[str, object]]]:
        for point in self._layout.points:
            yield self._point(point)
        for door in self._layout.doors:
            yield from self._door(door.id)
        for lane in self._layout.lanes:
            yield self._lane(lane)
        for asset in assets_of(self._layout):
            yield self._problem(asset)

    def _point(self, point: PointLayout) -> tuple[str, str, dict[str, object]]:
        word = point.id.partition(".")[2]
        object_ = f"point-{point.device}-{word}"
        config = self._entity(object_, self._say(point.name), point.device, Thing("point", point.id))
        config["availability"] = [
            {"topic": self._topics.presence},
            {"topic": config["state_topic"], "value_template": "{{ value_json.presence }}"},
        ]
        if point.type == "flag":
            kind = FLAGS.get(word)
            return "binary_sensor", object_, config | ({"device_class": kind} if kind else {})
        if point.type == "label":
            options = list(dict.fromkeys(self._say(label) for label in point.labels.values()))
            return "sensor", object_, config | ({"device_class": "enum", "options": options} if options else {})
        if point.type == "number":
            config["state_class"] = "total_increasing" if point.unit in COUNTING else "measurement"
            kind = NAMED.get((word, point.unit)) or CLASSES.get(point.unit)
            config |= {"device_class": kind} if kind else {}
            config |= {"unit_of_measurement": UNITS.get(point.unit, point.unit)} if point.unit else {}
        return "sensor", object_, config

    def _door(self, door: str) -> Iterator[tuple[str, str, dict[str, object]]]:
        thing = Thing("door", door)
        lock = self._entity(f"door-{door}", None, door, thing, "{{ value_json.lock }}")
        if self._shown.commands:
            states = {"state_locked": "locked", "state_unlocked": "released"}
            yield "lock", f"door-{door}", lock | states | {"command_topic": f"{self._topics.state(thing)}/set"}
        else:
            states = {"payload_on": "released", "payload_off": "locked"}
            yield "binary_sensor", f"door-{door}", lock | states | {"device_class": "lock"}
        contact = self._entity(f"contact-{door}", self._say(Text("门磁", "Contact")), door, thing)
        yield (
            "binary_sensor",
            f"contact-{door}",
            contact
            | {"value_template": "{{ value_json.contact }}", "device_class": "door"}
            | {"payload_on": "open", "payload_off": "closed"},
        )

    def _lane(self, lane: LaneLayout) -> tuple[str, str, dict[str, object]]:
        thing = Thing("lane", lane.id)
        config = self._entity(f"lane-{lane.id}", None, lane.id, thing, "{{ value_json.barrier }}")
        config |= {"device_class": "gate"}
        if self._shown.commands:
            config["command_topic"] = f"{self._topics.state(thing)}/set"
            config |= {"payload_close": None, "payload_stop": None}
        return "cover", f"lane-{lane.id}", config

    def _problem(self, asset: str) -> tuple[str, str, dict[str, object]]:
        object_ = f"problem-{asset}"
        config = self._entity(object_, self._say(PROBLEM), asset, Thing("problem", asset), "{{ value_json.problem }}")
        attributes = {
            "json_attributes_topic": config["state_topic"],
            "json_attributes_template": "{{ value_json.attributes | tojson }}",
        }
        return "binary_sensor", object_, config | attributes | {"device_class": "problem"}

    def _entity(
        self, object_: str, name: str | None, asset: str, thing: Thing, template: str = "{{ value_json.value }}"
    ) -> dict[str, object]:
        unique = f"{self._topics.node}-{object_}"
        return {
            "name": name,
            "unique_id": unique,
            "state_topic": self._topics.state(thing),
            "value_template": template,
            "availability": [{"topic": self._topics.presence}],
            "availability_mode": "all",
            "device": self._device(asset),
            "origin": {"name": "Gatehouse", "sw_version": self._software},
        }

    def _device(self, asset: str) -> dict[str, object]:
        layout = self._layout
        device: dict[str, object] = {
            "identifiers": [f"{self._topics.node}-{asset}"],
            "name": self._say(self._names[asset]),
            "manufacturer": "Gatehouse",
        }
        if asset == layout.gateway:
            return device | {"model": "gateway", "sw_version": self._software}
        place = self._places.get(asset)
        model = self._models.get(asset)
        device |= {"via_device": f"{self._topics.node}-{layout.gateway}"}
        device |= {"model": model} if model else {}
        return device | ({"suggested_area": self._say(place)} if place is not None else {})

    def _say(self, text: Text) -> str:
        return text.zh if self._shown.language == "zh" else text.en


# --- States


def point_state(point: PointLayout, latest: Latest, language: Literal["zh", "en"]) -> bytes:
    """A point's state. Not good: no value, and its entity is unavailable."""
    good = latest.quality == "good" and latest.value is not None
    value: Value = latest.value if good else None
    if good and point.type == "flag":
        value = "ON" if latest.value else "OFF"
    elif good and isinstance(value, str):
        label = point.labels.get(value)
        value = (value if label is None else label.zh if language == "zh" else label.en)[:VALUE_LIMIT]
    return _json({"value": value, "presence": "online" if good else "offline"})


def door_state(item: Mapping[str, object]) -> bytes:
    """A door's state, of what the gateway shows of it. What nobody knows is `None`, as Home Assistant says it."""
    lock, contact = item["lock"], item["contact"]
    lock = lock if lock in ("locked", "released") else "None"
    return _json({"lock": lock, "contact": contact if contact in ("open", "closed") else "None"})


def lane_state(item: Mapping[str, object]) -> bytes:
    """A lane's state: an arm that moves, or whose end nobody sees, is neither open nor closed."""
    return _json({"barrier": COVERS.get(str(item["barrier"]), "None")})


def problem_state(alarms: Iterable[Alarm], language: Literal["zh", "en"]) -> bytes:
    """Whether something has alarms that are present, and their words."""
    present = [alarm for alarm in alarms if alarm.present]
    words = [alarm.cause.message.zh if language == "zh" else alarm.cause.message.en for alarm in present]
    attributes = {"count": len(present), "alarms": words[:SHOWN_ALARMS]}
    return _json({"problem": "ON" if present else "OFF", "attributes": attributes})


# --- Commands


def command_of(topics: Topics, topic: str, payload: bytes) -> tuple[AllowedKind, str] | None:
    """What a message asks for, and of which door or lane; None if it is nothing that may be asked for here."""
    parts = topic.removeprefix(f"{topics.root}/").split("/")
    if not topic.startswith(f"{topics.root}/") or len(parts) != 3 or parts[2] != "set":
        return None
    asked: Mapping[tuple[str, bytes], AllowedKind] = {
        ("door", b"UNLOCK"): "door.unlock",
        ("lane", b"OPEN"): "barrier.open",
    }
    kind = asked.get((parts[0], payload))
    return None if kind is None else (kind, parts[1])


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
