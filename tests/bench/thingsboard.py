"""The peer: thingsboard-gateway in an environment of its own, with settings that favour it.

All 125 registers of a unit in one read (its range form of an address), values sent only when they change, no limits of
rate, its store in memory, large packages, logs off, statistics off. It sends to a bare
MQTT listener, which costs it less than any server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import psutil

from tests.bench.listener import Listener
from tests.bench.slaves import REGISTERS
from tests.peers import interpreter

NAME = "thingsboard-gateway 3.8.5"
ASKS, ANSWERS = "v1/devices/me/rpc/request/", "v1/devices/me/rpc/response/"
UNLIMITED = {
    "rateLimits": {"messages": ""},
    "gatewayRateLimits": {"messages": ""},
    "maxInflightMessages": 10_000,
    "maxPayloadSize": 1_000_000,
}


class ThingsBoard:
    """Its gateway as a process in `folder`, reading `units` at `port` every `period_s`.

    `reports`: ON_CHANGE or ON_RECEIVED, what it sends of what it reads.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        units: int,
        period_s: float,
        timeout_s: float = 1.0,
        retries: int = 3,
        registers: int = REGISTERS,
        reports: str = "ON_CHANGE",
    ) -> None:
        self._folder = folder
        self._slaves = {
            "port": port,
            "units": units,
            "period_ms": round(period_s * 1000),
            "timeout": timeout_s,
            "retries": retries,
            "registers": registers,
        }
        self._reports = reports
        self._listener = Listener(self._heard)
        self._payloads: list[bytes] = []
        self.process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> ThingsBoard:
        python = await asyncio.to_thread(interpreter, "thingsboard")
        await self._listener.open()
        config = self._folder / "config"
        config.mkdir(parents=True)
        for name, content in (("tb_gateway", self._gateway()), ("modbus", self._modbus()), ("logs", LOGS)):
            (config / f"{name}.json").write_text(json.dumps(content))
        with (self._folder / "log").open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(python, "-m", "thingsboard_gateway.tb_gateway"),
                cwd=self._folder,
                env={"TB_GW_CONFIG_DIR": str(config), "PATH": "/usr/bin:/bin", "HOME": str(self._folder)},
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(30):
            await self._listener.connected.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        await self._listener.close()

    def cpu(self) -> float:
        """CPU seconds of its process so far."""
        assert self.process is not None
        used = psutil.Process(self.process.pid).cpu_times()
        return float(used.user + used.system)

    def memory(self) -> float:
        """Resident memory in MB."""
        assert self.process is not None
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)

    async def flowing(self) -> None:
        """Returns when the first telemetry has arrived."""
        while not self._payloads:  # noqa: ASYNC110 - a foreign process, it can only be watched
            await asyncio.sleep(0.05)

    def arrived(self) -> int:
        """Reads whose values have arrived, of all units."""
        return sum(map(len, self.delivered().values()))

    def delivered(self) -> dict[int, set[int]]:
        """For each unit: the counts of reads (register 1, below 65536) that have arrived."""
        found: dict[int, set[int]] = {}
        for payload in self._payloads:
            for device, entries in json.loads(payload).items():
                seen = found.setdefault(int(device.removeprefix("unit")), set())
                for entry in entries:
                    value = entry.get("values", entry).get("r1")
                    if value is not None:
                        seen.add(int(value))
        return found

    def _heard(self, topic: str, payload: bytes) -> None:
        if topic == "v1/gateway/telemetry":
            self._payloads.append(payload)
        elif topic.startswith(ASKS):
            # It sends nothing until its server has told it what limits it has: none.
            self._listener.say(ANSWERS + topic.removeprefix(ASKS), json.dumps(UNLIMITED).encode())

    def _gateway(self) -> dict[str, Any]:
        return {
            "thingsboard": {
                "host": "127.0.0.1",
                "port": self._listener.port,
                "remoteShell": False,
                "remoteConfiguration": False,
                "statistics": {"enable": False},
                "maxPayloadSizeBytes": 1_000_000,
                "minPackSendDelayMS": 50,
                "minPackSizeToSend": 500,
                "checkConnectorsConfigurationInSeconds": 3600,
                "handleDeviceRenaming": False,
                "security": {"type": "accessToken", "accessToken": "bench"},
                "qos": 1,
                "reportStrategy": {"type": self._reports},
                "checkingDeviceActivity": {"checkDeviceInactivity": False},
                **dict.fromkeys(
                    ("rateLimits", "dpRateLimits", "messagesRateLimits", "deviceMessagesRateLimits"), "0:0,"
                ),
                **dict.fromkeys(("deviceRateLimits", "deviceDpRateLimits"), "0:0,"),
            },
            "storage": {"type": "memory", "read_records_count": 1000, "max_records_count": 1_000_000},
            "grpc": {"enabled": False},
            "connectors": [{"name": "Modbus", "type": "modbus", "configuration": "modbus.json"}],
        }

    def _modbus(self) -> dict[str, Any]:
        on = self._slaves
        return {
            "name": "Modbus",
            "logLevel": "CRITICAL",
            "enableRemoteLogging": False,
            "master": {
                "slaves": [
                    {
                        "host": "127.0.0.1",
                        "port": on["port"],
                        "type": "tcp",
                        "method": "socket",
                        "unitId": unit,
                        "deviceName": f"unit{unit}",
                        "timeout": on["timeout"],
                        "retries": on["retries"],
                        "byteOrder": "BIG",
                        "wordOrder": "BIG",
                        "pollPeriod": on["period_ms"],
                        "attributes": [],
                        "timeseries": [
                            {
                                "tag": "r${address}",
                                "type": "16uint",
                                "functionCode": 3,
                                "objectsCount": 1,
                                "address": f"0-{int(on['registers']) - 1}",
                                "maxRegistersPerRequest": REGISTERS,
                            }
                        ],
                        "attributeUpdates": [],
                        "rpc": [],
                    }
                    for unit in range(1, int(on["units"]) + 1)
                ]
            },
        }


LOGS: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(message)s"}},
    "handlers": {"none": {"class": "logging.NullHandler"}},
    "loggers": {
        name: {"handlers": ["none"], "level": "CRITICAL", "propagate": False}
        for name in ("database", "service", "connector", "converter", "tb_connection", "storage", "extension")
    },
    "root": {"level": "CRITICAL", "handlers": ["none"]},
}
