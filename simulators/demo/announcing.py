"""A demo: its sites, where its things are, and how it tells people and programs the way to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simulators.demo.reach import EVERYWHERE, HERE, Reach
from simulators.demo.site import ROLES, DemoKeys, DemoSite, write_private


@dataclass(frozen=True)
class Demo:
    """Where the demo keeps its things, and its sites. `announce` says how to reach it while it is ready."""

    folder: Path
    sites: tuple[DemoSite, ...]
    kept: DemoKeys
    hub_port: int
    rhythm: bool
    reach: Reach = HERE

    @property
    def first(self) -> DemoSite:
        """The site whose programs have plain names."""
        return self.sites[0]

    @property
    def announce(self) -> Path:
        """`var/demo.json` for `var/demo`."""
        return self.folder.with_suffix(".json")

    @property
    def control(self) -> Path:
        """The supervisor's socket."""
        return self.folder / "control"

    @property
    def hub_url(self) -> str:
        """The hub's console, as this machine reaches it."""
        at = HERE.host if self.reach.host == EVERYWHERE else self.reach.host
        return f"{self.reach.scheme}://{at}:{self.hub_port}"

    @property
    def shown_url(self) -> str:
        """The same, as others of the network reach it."""
        return f"{self.reach.scheme}://{self.reach.shown}:{self.hub_port}"


_NEW_CERTIFICATE = """
  证书由本机自签，浏览器首次会提示；其他人能到达的网络上请勿用演示密码。
  The certificate is this machine's own: browsers ask once. Mind who else is on that network."""


class Announcement:
    """`var/demo.json`: written whole when all is ready, again when a process was restarted, removed at stop."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo
        self._ready = False
        self.database_url = ""
        self.pids: Callable[[], dict[str, int | None]] = dict

    def content(self) -> dict[str, object]:
        """What tests and tools need to reach the demo; what is of one site, of the first."""
        demo, kept = self._demo, self._demo.kept
        return {
            "site": demo.first.site.site,
            **demo.first.reached(),
            "hub_url": demo.hub_url,
            "broker": f"mqtt://127.0.0.1:{kept.ports['broker']}",
            "database_url": self.database_url,
            "accounts": {role: {"username": role, "password": kept.passwords[role]} for role in ROLES},
            "sites": {site.site.site: site.reached() for site in demo.sites},
            "pids": self.pids(),
        }

    def publish(self) -> None:
        """All is ready."""
        self._ready = True
        self.changed()

    def changed(self) -> None:
        """A process began or ended."""
        if self._ready:
            write_private(self._demo.announce, json.dumps(self.content(), indent=2, ensure_ascii=False))

    def withdraw(self) -> None:
        """The demo ends."""
        self._ready = False
        self._demo.announce.unlink(missing_ok=True)

    def words(self) -> str:
        """What a person reads when all is ready."""
        demo, passwords = self._demo, self._demo.kept.passwords
        accounts = "\n".join(f"    {role:<12} {passwords[role]}" for role in ROLES)
        sites = "\n".join(
            f"""
  项目 site: {site.site.name.zh} {site.site.name.en} ({site.site.site})
    现场控制台 at the gateway  {site.gateway_url}
    模拟器 simulators         {site.sim_url}/docs"""
            for site in demo.sites
        )
        return f"""
Gatehouse 已就绪 / is ready

  控制台 console  {demo.shown_url}{_NEW_CERTIFICATE if demo.reach.certificate else ""}
{sites}

  账号 account / 密码 password
{accounts}

  按 Ctrl-C 结束；再次启动时数据仍在。 Ctrl-C ends it; the next start goes on with the same data.
"""
