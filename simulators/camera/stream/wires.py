"""A Dahua camera whose stream of events is fetched: a small HTTP server with digest authentication."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulators.camera import dahua
from simulators.camera.makes import dahua_manner
from simulators.camera.seeing import Eye, Pushed
from simulators.camera.zhenshi import Seen
from simulators.ends import Ends
from simulators.ports import TcpEnd
from simulators.site import SimSite
from simulators.world.lane import Car

HEARTBEAT_S = 5.0
USERNAME = "admin"
HEAD_LIMIT = 16 * 1024
PATHS = ("/cgi-bin/eventManager.cgi", "/cgi-bin/snapManager.cgi")


class CameraHttpWire:
    """One camera on a port of its own."""

    def __init__(self, id_: str, camera: str, site: SimSite, folder: Path) -> None:
        self.id = id_
        self.cameras = {camera: AttachCamera(camera, site)}
        self._camera = self.cameras[camera]
        self._end = TcpEnd(self._camera.serve)
        self._password_file = folder / f"{id_}.password"
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Opens the server where it was before, with a password that only this machine's user can read."""
        self._camera.password = _password(self._password_file)
        await self._end.open(before.get("port"))
        self._tasks = [asyncio.create_task(self._camera.push_all()), asyncio.create_task(self._camera.beat())]
        return {
            "host": "127.0.0.1",
            "port": self._end.port,
            "username": USERNAME,
            "password_file": str(self._password_file),
            "tls": False,
            "ca_file": None,
        }

    async def attend(self) -> None:
        """Fetches what the lane's camera saw; takes the camera off the network, or puts it back."""
        self._camera.look()
        await self._end.set_online(not self._camera.eye.has("offline"))

    async def close(self) -> None:
        """Ends the camera."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._end.close()


class AttachCamera:
    """One camera: whoever attached to it hears of every car. `lines`: in lines of its own, not as JSON."""

    def __init__(self, id_: str, site: SimSite) -> None:
        self.id = id_
        self.eye = Eye(id_, site)
        self.password = ""
        self.lines = False
        self._streams: dict[asyncio.StreamWriter, bool] = {}
        self._nonce = secrets.token_hex(16)

    def expect(self, ticket: int) -> asyncio.Future[Pushed]:
        """Tells when the car with this ticket was seen and sent."""
        return self.eye.expect(ticket)

    def forget(self, ticket: int) -> None:
        """Nobody waits for this car any more."""
        self.eye.forget(ticket)

    def look(self) -> None:
        """Takes what the lane's loop triggered."""
        self.eye.look()

    async def push_all(self) -> None:
        """Sends one read after the other, for ever."""
        while True:
            car = await self.eye.next()
            self.eye.settle(car, await self._push_car(car))

    async def beat(self) -> None:
        """Says every few seconds that it is there."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            if not self.eye.has("silent"):
                await self._send([(dahua.part(b"Heartbeat"), False)])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: requests until one attaches, then the stream for as long as the peer listens."""
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            method, _, rest = head.decode("latin-1").partition(" ")
            uri = rest.partition(" ")[0]
            if not uri.startswith(PATHS) or "TrafficJunction" not in uri:
                await _answer(writer, "404 Not Found", "")
                return
            if not self._proved(_authorization(head), method, uri):
                await _answer(writer, "401 Unauthorized", f"WWW-Authenticate: {dahua.challenge(self._nonce)}\r\n")
                continue
            break
        writer.write(
            f"HTTP/1.1 200 OK\r\nContent-Type: {dahua.STREAM_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        self._streams[writer] = uri.startswith(PATHS[1])
        try:
            if not self.eye.has("silent"):
                await self._send([(dahua.part(b"Heartbeat"), False)])
            while await reader.read(1024):
                pass
        finally:
            del self._streams[writer]

    def _proved(self, header: str, method: str, uri: str) -> bool:
        return dahua.allowed(header, method, uri, nonce=self._nonce, username=USERNAME, password=self.password)

    async def replay(self, ago_s: float) -> Pushed:
        """Its last read once more, as somebody would send it who recorded it."""
        return await self._tell(self.eye.recorded(ago_s))

    async def _push_car(self, car: Car) -> Pushed:
        return await self._tell(await self.eye.see(car))

    async def _tell(self, seen: Seen) -> Pushed:
        if self.eye.has("silent", "offline") or not self._streams:
            return Pushed(seen.plate_id, sent=False)
        manner = replace(dahua_manner(self.eye.has), lines=self.lines)
        texts = dahua.texts_of(self.eye.identity, seen, manner)
        if self.eye.has("corrupt"):
            texts = [text[: len(text) * 2 // 3] for text in texts]
        parts = [(dahua.part(text), False) for text in texts]
        parts[1:1] = [
            (dahua.part(seen.shot.scene, "image/jpeg"), True),
            (dahua.part(seen.shot.plate, "image/jpeg"), True),
        ]
        for _ in range(3 if self.eye.has("repeat") else 1):
            await self._send(parts)
        return Pushed(seen.plate_id, sent=True)

    async def _send(self, parts: list[tuple[bytes, bool]]) -> None:
        """Parts to whoever listens; those that are pictures only to who asked for pictures."""
        for writer, pictures in list(self._streams.items()):
            for content, is_picture in parts:
                if pictures or not is_picture:
                    writer.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
            try:
                await writer.drain()
            except ConnectionError:
                continue


def _authorization(head: bytes) -> str:
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "authorization":
            return value.strip()
    return ""


async def _answer(writer: asyncio.StreamWriter, status: str, headers: str) -> None:
    writer.write(f"HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\n\r\n".encode())
    await writer.drain()


def _password(file: Path) -> str:
    """The camera's password: the one that it had, or a new one."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(12))
    return file.read_text().strip()


WIRES = Ends({"camera-http": lambda of: CameraHttpWire(of.id, of.on_bus[0], of.site, of.folder)})
