"""Frigate's plates over MQTT: many messages about one car become one read with the best plate. Pure.

`<prefix>/tracked_object_update` brings `{"type": "lpr", id, plate, score, camera, timestamp}` each time that a plate
was read again; `<prefix>/events` brings the tracked object with what was recognised so far, and its end. A sure plate
is told at once, a doubtful one when it has had time to become better, and once more if it becomes sure after all.
`<prefix>/available` and `<prefix>/stats` say that Frigate is there and that its camera gives frames; stats tell its
time. All times are seconds since 1970 by the clock of Frigate's machine. Source: Frigate's documentation of its MQTT
messages and statistics.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from drivers.camera.plates import key_of, plate_text, unix_moment
from drivers.reports import ClockTold, PlateRead

PREFIX = "frigate"
PAYLOAD_LIMIT = 256 * 1024
CARS_LIMIT = 256
"""Tracked objects that are remembered: a camera sees a few at a time."""

SURE = 0.9
SETTLE_S = 1.5
"""How long a plate read below `SURE` may become better before it is told."""


class Presence(NamedTuple):
    """Frigate says whether this camera is there, and why not."""

    device: str
    online: bool
    why: str = ""


class Refused(NamedTuple):
    """A message that is not what Frigate's documentation says. `device` "": nobody knows which camera's."""

    device: str
    why: str


Meaning = PlateRead | ClockTold | Presence | Refused


@dataclass(slots=True)
class _Car:
    """One tracked object: its best plate so far, and how much of it was told."""

    device: str
    due: float | None = None
    plate: str = ""
    score: float = -1.0
    at: int | None = None
    told: Literal["nothing", "doubtful", "sure"] = "nothing"


class Cameras:
    """The cameras of one broker. `topics`: by device the camera's name at Frigate, `prefix/name` for another prefix."""

    def __init__(self, topics: Mapping[str, str]) -> None:
        self._devices: dict[tuple[str, str], str] = {}
        for device, topic in topics.items():
            prefix, _, name = topic.rpartition("/")
            self._devices[prefix or PREFIX, name] = device
        self._cars: OrderedDict[tuple[str, str], _Car] = OrderedDict()
        self._prefixes = {prefix for prefix, _ in self._devices}

    @property
    def topics(self) -> list[str]:
        """What to subscribe to."""
        words = ("tracked_object_update", "events", "available", "stats")
        return sorted(f"{prefix}/{word}" for prefix in self._prefixes for word in words)

    def knows(self, topic: str) -> bool:
        """Whether a message of this topic is for `read`."""
        prefix, _, word = topic.rpartition("/")
        return prefix in self._prefixes and word in {"tracked_object_update", "events", "available", "stats"}

    def read(self, topic: str, payload: bytes, now: float, *, retained: bool = False) -> list[Meaning]:
        """What a message says. `now`: monotonic seconds. A plate that the broker kept is of another time: no read."""
        prefix, _, word = topic.rpartition("/")
        if word == "available":
            return self._available(prefix, payload)
        if len(payload) > PAYLOAD_LIMIT:
            return [Refused("", f"a payload of {len(payload)} bytes, at most {PAYLOAD_LIMIT} are read")]
        try:
            said = msgspec.json.decode(payload)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as wrong:
            return [Refused("", f"{word}: not JSON: {wrong}")]
        if not isinstance(said, dict):
            return [Refused("", f"{word}: an object is expected")]
        if word == "stats":
            return self._stats(prefix, said, retained=retained)
        if retained:
            return []
        return self._update(prefix, said, now) if word == "tracked_object_update" else self._event(prefix, said, now)

    def due(self) -> float | None:
        """When `tick` has something to tell, in monotonic seconds."""
        return min((car.due for car in self._cars.values() if car.due is not None), default=None)

    def tick(self, now: float) -> list[PlateRead]:
        """The doubtful plates that had their time."""
        return [self._tell(key, car) for key, car in list(self._cars.items()) if car.due is not None and car.due <= now]

    # --- Messages

    def _available(self, prefix: str, payload: bytes) -> list[Meaning]:
        word = payload.strip().lower()
        if word not in {b"online", b"offline", b"stopped"}:
            return [Refused("", "available is online, offline or stopped")]
        here = word == b"online"
        why = "" if here else "it says that it is offline"
        return [Presence(device, here, why) for (of, _), device in self._devices.items() if of == prefix]

    def _stats(self, prefix: str, said: Mapping[str, object], *, retained: bool) -> list[Meaning]:
        cameras, service = said.get("cameras"), said.get("service")
        if not isinstance(cameras, dict):
            return []
        at = _ms(service.get("last_updated")) if isinstance(service, dict) and not retained else None
        found: list[Meaning] = []
        for (of, name), device in self._devices.items():
            stats = cameras.get(name)
            if of == prefix and isinstance(stats, dict) and isinstance(stats.get("camera_fps"), (int, float)):
                here = stats["camera_fps"] > 0
                found.append(Presence(device, here, "" if here else "Frigate says that it gives no frames"))
                if at is not None:
                    found.append(ClockTold(device, at))
        return found

    def _update(self, prefix: str, said: Mapping[str, object], now: float) -> list[Meaning]:
        if said.get("type") != "lpr":
            return []  # faces, descriptions and the like
        device = self._device(prefix, said.get("camera"))
        if device is None:
            return []
        id, plate, score = said.get("id"), said.get("plate"), _share(said.get("score"))
        if not isinstance(id, str) or not isinstance(plate, str) or score is None:
            return [Refused(device, "an lpr update without id, plate or score")]
        return list(self._seen((device, id), plate, score, _ms(said.get("timestamp")), now))

    def _event(self, prefix: str, said: Mapping[str, object], now: float) -> list[Meaning]:
        after = said.get("after")
        if not isinstance(after, dict):
            return [Refused("", "an event without after")]
        device = self._device(prefix, after.get("camera"))
        if device is None or after.get("false_positive") is True:
            return []
        id = after.get("id")
        if not isinstance(id, str):
            return [Refused(device, "an event without id")]
        found: list[Meaning] = []
        plate, score = _recognised(after)
        if plate is not None:
            found += self._seen((device, id), plate, score, _ms(after.get("frame_time")), now)
        car = self._cars.get((device, id))
        if said.get("type") == "end" and car is not None and car.due is not None:
            found.append(self._tell((device, id), car))
        return found

    def _seen(self, key: tuple[str, str], said: str, score: float, at: int | None, now: float) -> list[PlateRead]:
        plate = plate_text(said)
        if not plate:
            return []
        car = self._cars.get(key)
        if car is None:
            car = self._cars[key] = _Car(key[0], due=now + SETTLE_S)
            if len(self._cars) > CARS_LIMIT:
                self._cars.popitem(last=False)
        if score <= car.score:
            return []
        car.plate, car.score, car.at = plate, score, at
        if car.told == "sure" or (score < SURE):
            return []
        return [self._tell(key, car)]

    def _tell(self, key: tuple[str, str], car: _Car) -> PlateRead:
        again = car.told != "nothing"
        car.told, car.due = "sure" if car.score >= SURE else "doubtful", None
        return PlateRead(
            camera=car.device,
            plate=car.plate,
            plate_id=key_of(key[1][:100], 2 if again else ""),
            confidence=min(max(car.score, 0.0), 1.0),
            seen_at=car.at,
        )

    def _device(self, prefix: str, camera: object) -> str | None:
        return self._devices.get((prefix, camera)) if isinstance(camera, str) else None


def _recognised(after: Mapping[str, object]) -> tuple[str | None, float]:
    """What was recognised so far: a text with its score beside it, or both in a list."""
    said, score = after.get("recognized_license_plate"), after.get("recognized_license_plate_score")
    if isinstance(said, list) and len(said) == 2:
        said, score = said
    share = _share(score)
    return (said, share) if isinstance(said, str) and share is not None else (None, 0.0)


def _share(said: object) -> float | None:
    if isinstance(said, bool) or not isinstance(said, (int, float)) or not 0 <= said <= 1:
        return None
    return float(said)


def _ms(said: object) -> int | None:
    if isinstance(said, bool) or not isinstance(said, (int, float)):
        return None
    moment = unix_moment(said)
    return None if moment is None else moment.ms
