"""What a Dahua plate camera says: TrafficJunction in its stream of events, and by ITSAPI's push. Pure.

Source: the vendor's HTTP API and public readers of it, as `drivers/camera/dahua.py` names them.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import md5
from typing import Any
from zoneinfo import ZoneInfo

from simulators.camera.picture import colour_of
from simulators.camera.zhenshi import CameraIdentity, Seen

BOUNDARY = "myboundary"
STREAM_TYPE = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
REALM = "Login to sim"
NO_PLATE = "unlicensed"


@dataclass(frozen=True, slots=True)
class Manner:
    """How this camera's firmware writes. `local_only`: without the true time; `stops`: it says the event's end too."""

    local_only: bool = False
    missing: bool = False
    stops: bool = False
    lines: bool = False


def event(camera: CameraIdentity, seen: Seen, manner: Manner, action: str = "Pulse") -> dict[str, Any]:
    """One TrafficJunction. `UTC` counts local seconds, as these cameras do; the vehicle is surer than its plate."""
    zone = datetime.fromtimestamp(seen.at_ms / 1000, ZoneInfo(camera.timezone)).utcoffset()
    local_s = seen.at_ms // 1000 + int(zone.total_seconds() if zone else 0)
    left, top, right, bottom = seen.shot.place
    plate = seen.plate or NO_PLATE
    said: dict[str, Any] = {
        "Action": action,
        "Class": "Traffic",
        "Code": "TrafficJunction",
        "CountInGroup": 1,
        "EventID": seen.plate_id,
        "GroupID": seen.plate_id,
        "IndexInGroup": 1,
        "Lane": 0,
        "Name": "TrafficJunction0",
        "Object": {
            "BoundingBox": [left, top, right, bottom],
            "Confidence": seen.confidence,
            "ObjectID": seen.plate_id,
            "ObjectType": "Plate",
            "Text": plate,
        },
        "RealUTC": seen.at_ms // 1000,
        "TrafficCar": {
            "DrivingDirection": ["Approach", "", ""],
            "Event": "TrafficJunction",
            "PlateColor": colour_of(seen.plate).title(),
            "PlateNumber": plate,
            "UTC": local_s,
        },
        "UTC": local_s,
        "UTCMS": seen.at_ms % 1000,
        "Vehicle": {"Confidence": 100, "ObjectType": "Vehicle", "Text": "Unknown"},
    }
    if manner.local_only:
        del said["RealUTC"]
    if manner.missing:
        del said["Object"]
        del said["TrafficCar"]
    return said


def texts_of(camera: CameraIdentity, seen: Seen, manner: Manner) -> list[bytes]:
    """The text parts of a stream for one car."""
    actions = ("Pulse", "Stop") if manner.stops else ("Pulse",)
    found: list[bytes] = []
    for action in actions:
        said = event(camera, seen, manner, action)
        if manner.lines:
            base = {"Code": said.pop("Code"), "Action": said.pop("Action"), "Index": 0}
            lines = _flat({"EventBaseInfo": base, **said}, "Events[0]")
            found.append("\r\n".join(lines).encode())
        else:
            data = json.dumps(said, ensure_ascii=False, indent=3)
            found.append(f"Code=TrafficJunction;action={action};index=0;data={data}".encode())
    return found


def part(content: bytes, kind: str = "text/plain") -> bytes:
    """One part of the stream."""
    head = f"--{BOUNDARY}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def push_body(camera: CameraIdentity, seen: Seen, manner: Manner, *, replayed: bool = False) -> bytes:
    """ITSAPI's push of one car, with its pictures."""
    said = event(camera, seen, manner, "Stop" if manner.stops else "Pulse")
    said["OffLine"] = int(replayed)
    said["NormalPic"] = {"Content": base64.b64encode(seen.shot.scene).decode(), "PicName": "scene.jpg"}
    said["CutoutPic"] = {"Content": base64.b64encode(seen.shot.plate).decode(), "PicName": "plate.jpg"}
    return json.dumps({"Events": [said]}, ensure_ascii=False).encode()


def heartbeat_body(camera: CameraIdentity) -> bytes:
    """ITSAPI's sign of life."""
    return json.dumps({"Active": "keepAlive", "DeviceID": camera.serial}).encode()


def taken(status: int, body: bytes) -> bool:
    """Whether the camera takes its push for heard: otherwise it sends it again."""
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return 200 <= status < 300 and isinstance(said, dict) and said.get("Result") is True


def _flat(said: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, value in said.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}.{key}")
        elif isinstance(value, list):
            yield from (f"{prefix}.{key}[{place}]={each}" for place, each in enumerate(value))
        else:
            yield f"{prefix}.{key}={value}"


# --- Digest authentication (RFC 7616, MD5 with qop=auth, as these cameras have it)

_WORD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


def challenge(nonce: str) -> str:
    """What a request without the right answer is told."""
    return f'Digest realm="{REALM}", qop="auth", nonce="{nonce}", opaque="{_md5(REALM)}"'


def allowed(header: str, method: str, uri: str, *, nonce: str, username: str, password: str) -> bool:
    """Whether an Authorization header proves the password for this request."""
    scheme, _, rest = header.partition(" ")
    said = {word: quoted or bare for word, quoted, bare in _WORD.findall(rest)}
    if scheme.lower() != "digest" or said.get("nonce") != nonce or said.get("username") != username:
        return False
    one, two = _md5(f"{username}:{REALM}:{password}"), _md5(f"{method}:{uri}")
    proof = _md5(f"{one}:{nonce}:{said.get('nc')}:{said.get('cnonce')}:{said.get('qop')}:{two}")
    return said.get("uri") == uri and said.get("response") == proof


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
