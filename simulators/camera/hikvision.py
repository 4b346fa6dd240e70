"""What a Hikvision plate camera pushes: `anpr.xml` and two pictures in one multipart body. Pure.

Source: ISAPI's EventNotificationAlert, as `drivers/camera/hikvision.py` names it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from simulators.camera.picture import colour_of
from simulators.camera.zhenshi import CameraIdentity, Seen

BOUNDARY = "boundary-7e13971310878"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
SPACES = {
    "hikvision": "http://www.hikvision.com/ver20/XMLSchema",
    "isapi": "http://www.isapi.org/ver20/XMLSchema",
    "wrong": "http://www.example.org/ver20/XMLSchema",
}


@dataclass(frozen=True, slots=True)
class Manner:
    """How this camera's firmware writes. `pictures`: parts with pictures, or the same parts with nothing in them."""

    space: str = "hikvision"
    pictures: bool = True
    missing: bool = False
    replayed: bool = False


def plate_body(camera: CameraIdentity, seen: Seen, manner: Manner) -> bytes:
    """A read."""
    anpr = "" if manner.missing else _anpr(seen)
    again = "<isDataRetransmission>true</isDataRetransmission>" if manner.replayed else ""
    number = uuid.uuid5(uuid.NAMESPACE_OID, f"{camera.serial}-{seen.plate_id}")
    xml = _alert(
        camera, manner, seen.at_ms, "ANPR", state="active", more=f"<ANPR>{anpr}</ANPR><UUID>{number}</UUID>{again}"
    )
    scene, plate = (seen.shot.scene, seen.shot.plate) if manner.pictures else (b"", b"")
    return (
        _part("anpr.xml", "anpr.xml", "text/xml", xml)
        + _part("licensePlatePicture.jpg", "licensePlatePicture.jpg", "image/jpeg", plate)
        + _part("detectionPicture.jpg", "detectionPicture.jpg", "image/jpeg", scene)
        + f"--{BOUNDARY}--\r\n".encode()
    )


def heartbeat_body(camera: CameraIdentity, manner: Manner, at_ms: int) -> bytes:
    """A sign of life: no video is lost."""
    xml = _alert(
        camera, manner, at_ms, "videoloss", state="inactive", more="<eventDescription>videoloss</eventDescription>"
    )
    return _part("videoloss.xml", "videoloss.xml", "text/xml", xml) + f"--{BOUNDARY}--\r\n".encode()


def taken(status: int) -> bool:
    """Whether the camera thinks that it was heard; it never sends a read twice in any case."""
    return 200 <= status < 300


def _anpr(seen: Seen) -> str:
    believed = ",".join([str(seen.confidence)] * max(1, len(seen.plate)))
    return (
        f"<country>CHN</country><licensePlate>{escape(seen.plate or 'unknown')}</licensePlate><line>1</line>"
        f"<direction>forward</direction><confidenceLevel>{seen.confidence}</confidenceLevel>"
        f"<plateType>unknown</plateType><plateColor>{colour_of(seen.plate)}</plateColor>"
        f"<plateCharBelieve>{believed}</plateCharBelieve><vehicleType>vehicle</vehicleType>"
        # Misspelt, as firmwares have it.
        "<vehileInfo><index>1</index><color>white</color></vehileInfo>"
        f"<originalLicensePlate>{escape(seen.plate)}</originalLicensePlate>"
        "<vehicleListName>otherList</vehicleListName>"
    )


def _alert(camera: CameraIdentity, manner: Manner, at_ms: int, kind: str, *, state: str, more: str) -> bytes:
    at = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(camera.timezone)).isoformat(timespec="milliseconds")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<EventNotificationAlert version="2.0" xmlns="{SPACES[manner.space]}">\n'
        f"<ipAddress>{camera.address}</ipAddress><protocol>HTTP</protocol><macAddress>44:19:b6:00:00:01</macAddress>"
        f"<channelID>1</channelID><dateTime>{at}</dateTime><activePostCount>1</activePostCount>"
        f"<eventType>{kind}</eventType><eventState>{state}</eventState>{more}\n</EventNotificationAlert>\n"
    ).encode()


def _part(name: str, filename: str, kind: str, content: bytes) -> bytes:
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        f"Content-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content + b"\r\n"
