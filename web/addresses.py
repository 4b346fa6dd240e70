"""Network addresses and ranges: what counts as one subscriber, and what lies where. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def subscriber(address: str) -> str:
    """What one subscriber cannot choose of an address: all of an IPv4 one, the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return address


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and ranges with commas between them, `*` for all. `ValueError` names the one that is none."""
    found: list[Network] = []
    for word in (word.strip() for word in text.split(",")):
        if word == "*":
            found += [ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")]
        elif word:
            try:
                found.append(ipaddress.ip_network(word, strict=False))
            except ValueError:
                raise ValueError(f"{word!r} is no address and no range like 192.168.10.0/24") from None
    return tuple(found)


THIS_MACHINE = networks("127.0.0.0/8, ::1")


def lies_in(address: str, among: Iterable[Network]) -> bool:
    """Whether an address lies in one of the networks; an IPv4 one also where it came over an IPv6 socket."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return any((mapped or found) in network for network in among)
