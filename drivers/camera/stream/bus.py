"""A camera whose stream of events the gateway fetches: one long answer over HTTP, read as it comes.

Digest authentication; the camera sends a heartbeat every few seconds, so that silence means that the line is dead: then
it is dialled again, with back-off. Source: the vendor's HTTP API, eventManager.cgi and snapManager.cgi.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping

import httpx
import structlog

from contract.readings import Value
from drivers.bus import BusHealth, CommandFailed, Outcome
from drivers.camera import dahua
from drivers.camera.bounded import Bounded, Digest
from drivers.camera.plates import jpeg
from drivers.camera.product import pictures_of
from drivers.camera.replaced import PartReader, StreamPart
from drivers.errors import FrameError
from drivers.presence import Presence
from drivers.profiles.profile import Profile
from drivers.reports import InputRefused, Sink

log = structlog.get_logger(__name__)

HEARTBEAT_S = 5
CONNECT_S = 5.0
RECONNECT_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
LOST_AFTER = 2
PICTURE_S = 0.3
"""How long a read waits for its picture, which comes after it; a barrier does not wait for pictures."""

EVENTS = f"/cgi-bin/eventManager.cgi?action=attach&codes=[{dahua.CODE}]&heartbeat={HEARTBEAT_S}"
PICTURES = (
    f"/cgi-bin/snapManager.cgi?action=attachFileProc&channel=1&heartbeat={HEARTBEAT_S}"
    f"&Flags[0]=Event&Events=[{dahua.CODE}]"
)


class Refused(Exception):
    """The camera answered, and did not give the stream."""


class AttachBus:
    """One camera (see `drivers.bus.Bus`). `password` is asked at each connection, so that a new one is used at once;
    so is `tls`, None for a camera that speaks plain HTTP."""

    def __init__(
        self,
        id: str,
        camera: str,
        profile: Profile,
        *,
        host: str,
        port: int,
        sink: Sink,
        username: str | None = None,
        password: Callable[[], str | None] = lambda: None,
        tls: Callable[[], ssl.SSLContext | None] = lambda: None,
    ) -> None:
        self.id = id
        self.health = BusHealth()
        self._camera = camera
        self._profile = profile
        self._silent_s = profile.silent_s or 3.0 * HEARTBEAT_S
        self._where = f"{_bracketed(host)}:{port}"
        self._pictured = pictures_of(profile)
        self._path = PICTURES if self._pictured else EVENTS
        self._sink = sink
        self._username = username
        self._password = password
        self._tls = tls
        self._presence = Presence({camera: None}, sink)
        self._pending: Mapping[str, object] | None = None
        self._pictures: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._fed = False

    # --- What the gateway asks

    async def write(self, device: str, point: str, value: Value, *, within_s: float) -> None:
        """A camera that is listened to takes no commands."""
        raise CommandFailed(f"{device} has nothing to write called {point}", f"{device} 没有可写的点位 {point}")

    async def pulse(self, device: str, output: str, seconds: float, *, within_s: float) -> None:
        """A camera that is listened to takes no commands."""
        raise CommandFailed(f"{device} has no output {output}", f"{device} 没有输出 {output}")

    def show(self, reader: str, outcome: Outcome) -> None:
        """A camera shows nothing by itself."""

    def online(self, device: str) -> bool:
        """Whether the camera sent something lately."""
        return self._presence.online(device)

    # --- The owner

    async def run(self) -> None:
        """Stays attached until cancelled."""
        failures = 0
        try:
            while True:
                why, self._fed = "", False
                try:
                    await self._attached()
                    why = "it ended the stream"
                except (httpx.ReadTimeout, TimeoutError):
                    why = f"nothing heard for {self._silent_s:g} s"
                    self._presence.lose(self._camera, why)
                except (httpx.ConnectError, httpx.ConnectTimeout) as wrong:
                    why = f"{self._where} cannot be reached: {str(wrong) or 'no answer'}"
                except httpx.TransportError:
                    why = f"{self._where} broke the stream off"
                except (httpx.HTTPError, httpx.InvalidURL, Refused, OSError, ValueError) as wrong:
                    why = str(wrong) or type(wrong).__name__
                except FrameError as wrong:
                    why = self._refuse(wrong)
                self.health.reconnects += self.health.connected
                self.health.connected = False
                if self._fed:  # a stream that ends before it has said anything is no stream
                    failures = 0
                self._flush()
                failures += 1
                if failures >= LOST_AFTER:
                    self._presence.lose(self._camera, why)
                await asyncio.sleep(RECONNECT_S[min(failures, len(RECONNECT_S)) - 1])
        finally:
            self.health.connected = False
            self._forget()

    async def _attached(self) -> None:
        """Reads the stream until it ends. `TimeoutError` if no part becomes whole for too long: bytes may drip."""
        password, tls = await asyncio.to_thread(self._secrets)
        url = f"{'http' if tls is None else 'https'}://{self._where}{self._path}"
        auth = None if self._username is None else Digest(self._username, password or "")
        timeout = httpx.Timeout(CONNECT_S, read=self._silent_s)
        loop = asyncio.get_running_loop()
        async with (
            asyncio.timeout(CONNECT_S + self._silent_s) as silence,
            httpx.AsyncClient(timeout=timeout, auth=auth, trust_env=False, transport=Bounded(tls)) as client,
            client.stream("GET", url) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise Refused(refusal(answer.status_code))
            reader = PartReader(answer.headers.get("content-type", ""))
            self.health.connected = True
            async for data in answer.aiter_raw():
                for part in reader.feed(data):
                    silence.reschedule(loop.time() + self._silent_s)
                    self._take(part)

    def _secrets(self) -> tuple[str | None, ssl.SSLContext | None]:
        """The password and what TLS trusts, read from files."""
        return self._password() if self._username else None, self._tls()

    # --- Parts

    def _take(self, part: StreamPart) -> None:
        self.health.exchanges += 1
        self._fed = True
        self._presence.heard(self._camera)
        if part.kind.startswith("image/"):
            self._take_picture(part.content)
            return
        self._flush()
        try:
            for event in dahua.events_of(part.content):
                self._take_event(event)
        except FrameError as wrong:
            self._refuse(wrong)

    def _take_event(self, event: Mapping[str, object]) -> None:
        self._flush()
        self._pending = event
        if not self._pictured:
            self._flush()
            return
        self._timer = asyncio.get_running_loop().call_later(PICTURE_S, self._flush)

    def _take_picture(self, content: bytes) -> None:
        picture = jpeg(content)
        if self._pending is not None and picture is not None:
            self._pictures.append(picture)
            self._flush()

    def _flush(self) -> None:
        """Tells the read that waited for its picture, with what came of it."""
        event, pictures = self._pending, self._pictures
        self._forget()
        if event is None:
            return
        try:
            read = dahua.read_of(self._camera, event, pictures[0] if pictures else None)
        except FrameError as wrong:
            self._refuse(wrong)
            return
        if read is not None:
            self._sink(read)

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._pending, self._pictures = None, None, []

    def _refuse(self, wrong: FrameError) -> str:
        self.health.refused += 1
        self._sink(InputRefused(self._camera, str(wrong), wrong.raw[:64]))
        return str(wrong)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def refusal(status: int) -> str:
    """Why a camera that answers with this HTTP status gives no stream."""
    if status in (401, 403):
        return f"the camera refuses the name or the password ({status})"
    return f"the camera answers {status} and gives no events"
