"""A hub as a process, with a real broker: for tests of what only processes can show."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import httpx

from contract import topics
from simulators.demo.programs import BrokerUser, free_port, prepare_broker

ROOT = Path(__file__).parents[2]


class Rig:
    """A broker, and a hub that can be killed and started again. `tree`: where the hub's packages are taken from."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.tree = ROOT
        self.hub_port = free_port()
        self.password = "for this test only"
        users = [BrokerUser(name, self.password) for name in ("hub", "gw-1", "gw-2", "demo-gw")]
        self.broker = prepare_broker(folder, "broker", free_port(), users)
        password_file = folder / "hub.password"
        password_file.write_text(self.password)
        self.environment = os.environ | {
            "DATABASE_URL": database_url,
            "GATEHOUSE_PORT": str(self.hub_port),
            "GATEHOUSE_BROKER_PORT": str(self.broker.port),
            "GATEHOUSE_BROKER_USER": "hub",
            "GATEHOUSE_BROKER_PASSWORD_FILE": str(password_file),
            "GATEHOUSE_KEY_FILE": str(folder / "hub.key"),
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *argv: str) -> subprocess.Popen[bytes]:
        with (self.folder / "processes.log").open("ab") as log:
            process = subprocess.Popen(argv, cwd=self.tree, env=self.environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def start_broker(self) -> subprocess.Popen[bytes]:
        return self.start(*self.broker.program.argv)

    def start_hub(self) -> subprocess.Popen[bytes]:
        return self.start(sys.executable, "-m", "hub", "serve")

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hub", *arguments]
        return subprocess.run(command, cwd=self.tree, env=self.environment, capture_output=True, text=True, check=False)

    async def ready(self) -> None:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.hub_port}") as client:
            while True:
                try:
                    if (await client.get("/readyz")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                assert self.processes[-1].poll() is None, (self.folder / "processes.log").read_text()
                await asyncio.sleep(0.05)

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait(10)

    @asynccontextmanager
    async def gateway(self, name: str = "gw-1") -> AsyncIterator[aiomqtt.Client]:
        async with aiomqtt.Client(
            "127.0.0.1", self.broker.port, username=name, password=self.password, identifier=name, timeout=60
        ) as client:
            await client.subscribe(topics.down(name, "ack"), qos=1)
            await client.subscribe(topics.down(name, "desired"), qos=1)
            yield client
