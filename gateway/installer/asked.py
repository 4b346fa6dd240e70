"""What each tool was asked on the command line: the options of `gateway.installer.commands`, as they reach `run`.

Times in milliseconds (`timeout`, `patience`) or seconds (`within`, `seconds`). Pure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypedDict

from drivers.profiles.words import Order


class LineAsked(TypedDict):
    """A Modbus wire, and how it is set."""

    port: str | None
    host: str | None
    rtu: bool
    baud: int
    parity: Literal["N", "E", "O"]
    stop_bits: Literal[1, 2]
    timeout: int


class SiteAsked(TypedDict):
    """A site file, and how its wires are driven."""

    site: Path | None
    wires: Path | None
    data: Path
    within: float


class ScanAsked(TypedDict):
    """`scan`, beside where."""

    baud: str | None
    parity: str | None
    stop_bits: int
    unit: str
    protocol: str | None
    tcp_ports: str | None
    patience: int | None
    every: bool
    fit: bool


class WatchAsked(TypedDict):
    """`watch`."""

    port: str | None
    baud: int | None
    parity: str | None
    stop_bits: int
    site: Path | None
    wires: Path | None
    bus: str | None
    protocol: str | None
    through: str | None
    listen: int
    gateway: str | None
    username: str
    seconds: float | None
    frames: int | None
    counts: bool
    raw: bool


class ReadAsked(LineAsked, SiteAsked):
    """`read`."""

    device: str | None
    points: list[str]
    unit: int
    fc: int
    address: int | None
    count: int
    type: str
    order: Order


class WriteAsked(LineAsked, SiteAsked):
    """`write`."""

    device: str | None
    point: str | None
    value: str | None
    pulse: float | None
    unit: int
    fc: int
    address: int | None
    type: str
    order: Order
    yes: bool
    really: bool


class GuessAsked(LineAsked):
    """`guess`, beside registers that were typed."""

    unit: int
    fc: int
    address: int | None
    count: int
    reads: int


class CheckAsked(SiteAsked):
    """`check`."""

    live: bool


class DiscoverAsked(SiteAsked):
    """`discover`."""

    bus: str | None
    host: str | None
    username: str | None
    password_file: Path | None
    prefix: str
    out: Path | None
    also_here: bool


class AsideAsked(TypedDict):
    """`aside`."""

    file: Path | None
    data: Path
    out: Path | None
