"""The demo site's simulators in this process on real wires, and the peers that look at them from outside."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from config import load_site
from simulators.api import build_api
from simulators.people import People
from simulators.rhythm import Rhythm
from simulators.running import Places, Running
from simulators.site import SimSite

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "config" / "sites" / "demo.yaml"
NOWHERE = "http://127.0.0.1:9"


class Stage:
    """Running simulators: their API as a client, their wires as the gateway would find them."""

    def __init__(self, running: Running, api: httpx.AsyncClient, wires: Path) -> None:
        self.running = running
        self.site = running.site
        self.api = api
        self._wires = wires

    @property
    def wires(self) -> dict[str, Any]:
        """The wires file."""
        found: dict[str, Any] = json.loads(self._wires.read_text())
        return found

    async def post(self, path: str, body: dict[str, Any], status: int = 200) -> Any:
        """Acts; the answer."""
        answer = await self.api.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def seen(self) -> dict[str, Any]:
        """GET /sim/devices."""
        found: dict[str, Any] = (await self.api.get("/sim/devices")).json()
        return found

    async def device(self, id_: str) -> dict[str, Any]:
        """One of its devices."""
        return next(one for one in (await self.seen())["devices"] if one["id"] == id_)


def quiet_rhythm(site: SimSite) -> Rhythm:
    """Nobody that the test did not send."""
    return Rhythm(site.site, People(), 0)


@asynccontextmanager
async def simulated(
    folder: Path, gateway_url: str = NOWHERE, site_file: Path = DEMO, wires_in: Path | None = None
) -> AsyncIterator[Stage]:
    """The simulators of a site, open until the block ends."""
    loaded = load_site(site_file)
    site = SimSite(loaded.site, loaded.profiles, seed=7)
    places = Places(folder / "wires.json", folder / "data", gateway_url, wires_in, paced=False)
    running = Running(site, places, quiet_rhythm(site), rhythm_on=False)
    await running.open()
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(build_api(running)), base_url="http://127.0.0.1", timeout=30
    )
    try:
        yield Stage(running, client, places.wires)
    finally:
        await client.aclose()
        await running.close()


async def until(true: Callable[[], Any], within_s: float = 30.0) -> Any:
    """What `true` finds as soon as it is something; fails if it never is."""
    async with asyncio.timeout(within_s):
        while not (found := true()):  # noqa: ASYNC110 - what is awaited happens in another process or thread
            await asyncio.sleep(0.02)
    return found


class Catcher:
    """A gateway's push route and nothing else: keeps what came, answers what it is told."""

    def __init__(self) -> None:
        self.reads: list[dict[str, Any]] = []
        self.heartbeats: list[bytes] = []
        self.broken: list[bytes] = []
        self.paths: list[str] = []
        self.answer: dict[str, Any] | None = {"Response_AlarmInfoPlate": {"info": "no"}}
        self.url = ""

    def plates(self) -> list[str]:
        """The plates that were pushed, in their order."""
        return [read["license"] for read in self.reads]

    def take(self, path: str, kind: str, body: bytes) -> bytes:
        """One push."""
        self.paths.append(path)
        if kind.startswith("multipart/form-data"):
            self.heartbeats.append(body)
            return b"{}"
        try:
            self.reads.append(json.loads(body)["AlarmInfoPlate"]["result"]["PlateResult"])
        except (ValueError, KeyError):
            self.broken.append(body)
        return json.dumps(self.answer).encode() if self.answer is not None else b"oops"


def picture(read: dict[str, Any]) -> bytes:
    """The scene of a read."""
    return base64.b64decode(read["imageFile"])


@contextmanager
def catching(port: int = 0) -> Iterator[Catcher]:
    """A catcher on loopback, on a thread of its own."""
    catcher = Catcher()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = catcher.take(self.path, self.headers["Content-Type"], body)
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        allow_reuse_address = True
        daemon_threads = True

    server = Server(("127.0.0.1", port), Handler)
    catcher.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield catcher
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
