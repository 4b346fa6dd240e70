"""One site of the demo: where it keeps its things, and the programs that it is made of.

A demo may hold several. Each has a folder, a gateway, simulators and a site broker of its own, and an account at the
hub's broker that reaches its own topics only. The first site's programs have plain names, those of another end in
`:<site>`. Ports, passwords and folders are kept by site, so that the order of the sites may change.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from config import LoadedSite
from config.site import Site
from drivers.mqtt.wires import MqttBus
from simulators.demo.programs import Broker, BrokerUser, Program, free_port, listening, prepare_broker, secret
from simulators.demo.site_accounts import ACCOUNTS, site_accounts

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("guard", "maintenance", "installer", "manager", "admin")
OF_SEVERAL = ("manager", "admin")
"""Whose accounts see every site of the demo; the others are of the first."""

_PORTS = ("gateway", "pushes", "simulators", "site_broker")
_PASSWORDS = ("broker:gateway", *(f"site_broker:{account}" for account in ACCOUNTS))


@dataclass
class DemoKeys:
    """What the demo makes at its first start and keeps. Only its owner can read the file.

    `homes`: site → its folder in the demo's; the first site that ever ran here has the demo's folder itself.
    """

    ports: dict[str, int]
    passwords: dict[str, str]
    homes: dict[str, str]

    @classmethod
    def load(cls, path: Path, sites: Sequence[Site]) -> DemoKeys:
        """What was kept, completed where something is missing; a port that is taken by another is given up."""
        held = json.loads(path.read_text()) if path.exists() else {}
        kept = cls(held.get("ports", {}), held.get("passwords", {}), held.get("homes", {}))
        for site in sites:
            kept.homes.setdefault(site.site, f"sites/{site.site}" if "." in kept.homes.values() else ".")
        marks = [kept.mark(site.site) for site in sites]
        for name in ("broker", *(f"{name}{mark}" for mark in marks for name in _PORTS)):
            if name not in kept.ports or listening(kept.ports[name]):
                kept.ports[name] = free_port()
        for role in ROLES:
            kept.passwords.setdefault(role, _memorable())
        for name in ("broker:hub", *(f"{name}{mark}" for mark in marks for name in _PASSWORDS)):
            kept.passwords.setdefault(name, secret())
        content = {"ports": kept.ports, "passwords": kept.passwords, "homes": kept.homes}
        write_private(path, json.dumps(content, indent=2))
        return kept

    def mark(self, site: str) -> str:
        """What the names of a site's ports and passwords end in."""
        return "" if self.homes[site] == "." else f":{site}"


def _memorable() -> str:
    """A password that a person can copy from a terminal to a phone."""
    return secret().replace("_", "x").replace("-", "y")[:12]


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.touch(mode=0o600)
    part.chmod(0o600)
    part.write_text(text)
    part.replace(path)


def local(port: int) -> str:
    """The address of a server of this machine."""
    return f"http://127.0.0.1:{port}"


def python(name: str, *arguments: str, env: dict[str, str] | None = None) -> Program:
    """One of our own processes."""
    environment = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | (env or {})
    return Program(name, (sys.executable, "-m", *arguments), ROOT, environment)


@dataclass(frozen=True)
class DemoSite:
    """A site of a running demo. `suffix`: what the names of its programs end in."""

    file: Path
    loaded: LoadedSite
    folder: Path
    suffix: str
    kept: DemoKeys

    @property
    def site(self) -> Site:
        """What is installed there."""
        return self.loaded.site

    @property
    def data(self) -> Path:
        """The gateway's folder."""
        return self.folder / "gateway"

    @property
    def wires(self) -> Path:
        """Where the simulators say that each bus is."""
        return self.folder / "wires.json"

    @property
    def gateway_url(self) -> str:
        """The gateway's own server."""
        return local(self.port("gateway"))

    @property
    def push_url(self) -> str:
        """Where its cameras push."""
        return local(self.port("pushes"))

    @property
    def sim_url(self) -> str:
        """The simulators' control API."""
        return local(self.port("simulators"))

    @property
    def people(self) -> Path | None:
        """Who lives and works there, if there is a file."""
        path = ROOT / "config" / "examples" / f"{self.site.site}-people.yaml"
        return path if path.exists() else None

    def port(self, name: str) -> int:
        """The port of a program of this site."""
        return self.kept.ports[f"{name}{self.kept.mark(self.site.site)}"]

    def password(self, name: str) -> str:
        """A password of this site: `<broker>:<who>`."""
        return self.kept.passwords[f"{name}{self.kept.mark(self.site.site)}"]

    def reached(self) -> dict[str, str]:
        """How to reach it, for whoever tries the demo."""
        return {
            "gateway": self.site.gateway,
            "gateway_url": self.gateway_url,
            "push_url": self.push_url,
            "sim_url": self.sim_url,
            "site_broker": f"mqtt://127.0.0.1:{self.port('site_broker')}",
            "journal": str(self.data / "journal.sqlite"),
        }

    def uplink_user(self) -> BrokerUser:
        """The gateway's account at the hub's broker: its own topics and no others."""
        gateway, shard = self.site.gateway, self.site.uplink.shard if self.site.uplink else "s1"
        return BrokerUser(
            gateway,
            self.password("broker:gateway"),
            publish=(f"gatehouse/v1/up/{shard}/{gateway}/#",),
            subscribe=(f"gatehouse/v1/down/{gateway}/#",),
        )

    def site_broker(self) -> Broker:
        """The broker of the site's MQTT devices: each client with an account, and topics, of its own."""
        users = site_accounts(self.loaded, lambda account: self.password(f"site_broker:{account}"))
        broker = prepare_broker(self.folder / "site_broker", "site_broker", self.port("site_broker"), users)
        return replace(broker, program=replace(broker.program, name=f"site_broker{self.suffix}"))

    def write_secrets(self) -> None:
        """The password files that its processes are pointed to."""
        write_private(self.data / "uplink.password", self.password("broker:gateway"))
        write_private(self.data / "site-broker.password", self.password("site_broker:gateway"))
        for account in ("simulators", "frigate", "homeassistant"):
            write_private(self._password_file(account), self.password(f"site_broker:{account}"))

    def simulators(self, *, rhythm: bool) -> Program:
        """Every device of the site."""
        known = self._write_known_wires()
        return python(
            f"simulators{self.suffix}",
            *("simulators", "run", "--site", str(self.file), "--wires", str(self.wires), "--wires-in", str(known)),
            *("--port", str(self.port("simulators")), "--gateway-url", self.push_url),
            *("--data", str(self.folder / "simulators"), "--rhythm" if rhythm else "--no-rhythm"),
            *(("--people", str(self.people)) if self.people else ()),
            env={
                "GATEHOUSE_SITE_BROKER_USERNAME": "simulators",
                "GATEHOUSE_SITE_BROKER_PASSWORD_FILE": str(self._password_file("simulators")),
                "GATEHOUSE_FRIGATE_USERNAME": "frigate",
                "GATEHOUSE_FRIGATE_PASSWORD_FILE": str(self._password_file("frigate")),
            },
        )

    def gateway(self) -> Program:
        """The site's gateway."""
        return python(
            f"gateway{self.suffix}",
            *("gateway", "--site", str(self.file), "--wires", str(self.wires), "--data", str(self.data)),
            *("--port", str(self.port("gateway")), "--push-port", str(self.port("pushes"))),
        )

    def _password_file(self, account: str) -> Path:
        name = "site-broker" if account == "simulators" else account
        return self.folder / "simulators" / f"{name}.password"

    def _write_known_wires(self) -> Path:
        """The wires that are not simulated but run for real: the site's broker, and the hub's."""
        wires: dict[str, object] = {
            name: {"host": "127.0.0.1", "port": self.port("site_broker")}
            | {"username": "gateway", "password_file": "site-broker.password", "tls": False, "ca_file": None}
            for name, bus in self.site.buses.items()
            if isinstance(bus, MqttBus)
        }
        wires["uplink"] = {
            "host": "127.0.0.1",
            "port": self.kept.ports["broker"],
            "username": self.site.gateway,
            "password_file": "uplink.password",
            "tls": False,
            "ca_file": None,
        }
        path = self.folder / "wires-known.json"
        write_private(path, json.dumps(wires, indent=2))
        return path
