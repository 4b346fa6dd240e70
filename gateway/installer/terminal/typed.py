"""What installers type: lists of numbers, speeds, words in hex, endpoints, ranges of addresses. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from gateway.installer.terminal.trouble import Trouble

MOST_HOSTS = 4096
"""Addresses of one scan: a /20. More is a mistake in typing."""

SPEEDS = range(300, 4_000_001)


def numbers(typed: str, low: int, high: int, what: str) -> list[int]:
    """`1-10,20,0x1F` in the order typed, each once. `what`: the option's name, for the mistake."""
    found: dict[int, None] = {}
    for part in filter(None, (piece.strip() for piece in typed.split(","))):
        first, dash, last = part.partition("-")
        try:
            start = int(first, 0)
            end = int(last, 0) if dash else start
        except ValueError:
            raise _unread(what, part, f"{low}-{high}") from None
        if start > end or start < low or end > high:
            raise _unread(what, part, f"{low}-{high}")
        found.update(dict.fromkeys(range(start, end + 1)))
    if not found:
        raise _unread(what, typed, f"{low}-{high}")
    return list(found)


def parities(typed: str) -> list[str]:
    """`N,E,O`."""
    found = list(dict.fromkeys(part.strip().upper() for part in typed.split(",") if part.strip()))
    if not found or not set(found) <= set("NEO"):
        raise _unread("--parity", typed, "N, E, O")
    return found


def registers(typed: list[str]) -> list[int]:
    """Registers as hex words: `4366 E666`, `0x4366,0xE666`, `4366E666`."""
    words: list[int] = []
    for part in re.split(r"[\s,]+", " ".join(typed).strip()):
        bare = part.removeprefix("0x").removeprefix("0X")
        if not re.fullmatch(r"[0-9A-Fa-f]{1,4}|(?:[0-9A-Fa-f]{4}){2,4}", bare):
            raise _unread("--words", part, "4366 E666")
        words += [int(bare[at : at + 4], 16) for at in range(0, len(bare), 4)]
    if not 1 <= len(words) <= 4:
        raise Trouble(
            f"--words 要 1 到 4 个寄存器，写了 {len(words)} 个", f"--words takes 1 to 4 registers, not {len(words)}"
        )
    return words


def endpoint(typed: str, default_port: int | None = None) -> tuple[str, int]:
    """`192.168.1.5:502`, `[::1]:502`, or a host alone where there is a usual port."""
    match = re.fullmatch(r"(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:\s]+))(?::(?P<port>\d{1,5}))?", typed.strip())
    port = default_port if match is None or match["port"] is None else int(match["port"])
    if match is None or port is None or not 1 <= port <= 65535:
        raise _unread("", typed, "192.168.1.5:502")
    return match["v6"] or match["host"], port


def hosts(typed: str) -> list[str]:
    """`192.168.10.0/24`, `192.168.10.20-40`, `192.168.10.5`, or several of them with commas."""
    found = list(dict.fromkeys(host for part in typed.split(",") if part.strip() for host in _hosts(part.strip())))
    if not found:
        raise _unread("--net", typed, "192.168.10.0/24")
    if len(found) > MOST_HOSTS:
        raise _too_many(len(found))
    return found


def _hosts(part: str) -> Iterator[str]:
    span = re.fullmatch(r"((?:\d{1,3}\.){3})(\d{1,3})-(\d{1,3})", part)
    try:
        if span:
            first, last = ipaddress.IPv4Address(span[1] + span[2]), ipaddress.IPv4Address(span[1] + span[3])
            if first > last:
                raise ValueError
            yield from (str(ipaddress.IPv4Address(number)) for number in range(int(first), int(last) + 1))
            return
        network = ipaddress.ip_network(part, strict=False)
    except ValueError:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9.-]*", part):
            raise _unread("--net", part, "192.168.10.0/24, 192.168.10.20-40") from None
        yield part
        return
    if network.num_addresses > 2 * MOST_HOSTS:
        raise _too_many(network.num_addresses)
    yield from (str(host) for host in network.hosts())


def _too_many(count: int) -> Trouble:
    return Trouble(
        f"--net 一次最多扫描 {MOST_HOSTS} 个地址，写了 {count} 个：请分段扫描",
        f"--net scans at most {MOST_HOSTS} addresses at a time, and this names {count}: scan it in parts",
    )


def _unread(what: str, found: str, expected: str) -> Trouble:
    option = f"{what} " if what else ""
    return Trouble(
        f"{option}看不懂 {found!r}，应形如 {expected}", f"{option}cannot read {found!r}; expected {expected}"
    )


def words(typed: str | None, known: list[str], what: str) -> list[str]:
    """`modbus,dlt645`; all that are known if nothing was typed."""
    if typed is None:
        return known
    found = list(dict.fromkeys(part.strip() for part in typed.split(",") if part.strip()))
    for each in found:
        if each not in known:
            listed = ", ".join(known)
            raise Trouble(f"{what} 不认识 {each}，可用：{listed}", f"{what}: there is no {each}; there are: {listed}")
    return found or known
