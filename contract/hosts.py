"""Whether a host is this machine itself: what is said to it, nobody on a network hears. Pure."""

from __future__ import annotations

import ipaddress


def this_machine(host: str) -> bool:
    """Whether a name or address can only be this machine; another name may be anybody's."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
