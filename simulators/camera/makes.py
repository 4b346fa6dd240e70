"""What cameras that push differ in: how a read and a sign of life are written, what an answer means. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from simulators.camera import dahua, hikvision
from simulators.camera import zhenshi as push
from simulators.camera.zhenshi import CameraIdentity, PushVerdict, Seen

Has = Callable[[str], bool]
"""Whether the camera has a fault."""


class Body(NamedTuple):
    """A body and its content type."""

    content: bytes
    kind: str


class Make(NamedTuple):
    """One make. `stores`: it keeps what nobody took and sends it later; `tries`: how often it sends a read."""

    read: Callable[[CameraIdentity, Seen, bool, Has], Body]
    heartbeat: Callable[[CameraIdentity, Has, int], Body]
    verdict: Callable[[int, bytes], PushVerdict]
    stores: bool
    tries: int


def _zhenshi_read(camera: CameraIdentity, seen: Seen, stored: bool, has: Has) -> Body:
    return Body(push.plate_body(camera, seen, replayed=stored, missing=has("missing")), "application/json")


def _zhenshi_heartbeat(camera: CameraIdentity, has: Has, at_ms: int) -> Body:
    lines = "".join(
        f'--sim\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, (_, text) in push.heartbeat_form(camera).items()
    )
    return Body(f"{lines}--sim--\r\n".encode(), "multipart/form-data; boundary=sim")


def _manner(has: Has, stored: bool = False) -> hikvision.Manner:
    return hikvision.Manner(
        space="wrong" if has("wrong-namespace") else "hikvision",
        pictures=not has("empty-picture"),
        missing=has("missing"),
        replayed=stored,
    )


def _hikvision_read(camera: CameraIdentity, seen: Seen, stored: bool, has: Has) -> Body:
    return Body(hikvision.plate_body(camera, seen, _manner(has, stored)), hikvision.TYPE)


def _hikvision_heartbeat(camera: CameraIdentity, has: Has, at_ms: int) -> Body:
    return Body(hikvision.heartbeat_body(camera, _manner(has), at_ms), hikvision.TYPE)


def dahua_manner(has: Has) -> dahua.Manner:
    """How a Dahua camera with these faults writes."""
    return dahua.Manner(local_only=has("local-epoch"), missing=has("missing"), stops=has("stop-events"))


def _dahua_read(camera: CameraIdentity, seen: Seen, stored: bool, has: Has) -> Body:
    return Body(dahua.push_body(camera, seen, dahua_manner(has), replayed=stored), "application/json")


def _dahua_heartbeat(camera: CameraIdentity, has: Has, at_ms: int) -> Body:
    return Body(dahua.heartbeat_body(camera), "application/json")


MAKES: Mapping[str, Make] = {
    "zhenshi": Make(_zhenshi_read, _zhenshi_heartbeat, push.verdict, stores=True, tries=3),
    # Fire and forget: what nobody took is lost.
    "hikvision": Make(
        _hikvision_read,
        _hikvision_heartbeat,
        lambda status, _: PushVerdict(hikvision.taken(status)),
        stores=False,
        tries=1,
    ),
    "dahua-itsapi": Make(
        _dahua_read,
        _dahua_heartbeat,
        lambda status, body: PushVerdict(dahua.taken(status, body)),
        stores=True,
        tries=3,
    ),
}
"""By the dialect of a camera's profile."""
