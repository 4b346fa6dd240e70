"""From where the demo's console is reached: this machine alone, or others of its network, over TLS."""

from __future__ import annotations

import ipaddress
import shutil
import socket
import subprocess
from pathlib import Path
from typing import NamedTuple

LASTS_DAYS = 825
"""No browser takes a certificate that is good for longer."""

SOON_S = 7 * 86_400
"""A certificate that ends sooner is made anew: phones warn of it, or do not open the page at all."""

_ELSEWHERE = ("192.0.2.1", 9)
"""An address of nobody (RFC 5737): a datagram socket that is pointed there sends nothing and knows its own address."""


class UnreachableHost(ValueError):
    """A host that the console cannot be reached at; the message says why, in both languages."""


class Reach(NamedTuple):
    """Where the hub listens, what people type, and the certificate with its key; None: in clear, on this machine."""

    host: str
    shown: str
    certificate: Path | None = None
    key: Path | None = None

    @property
    def scheme(self) -> str:
        """As in an address."""
        return "http" if self.certificate is None else "https"


EVERYWHERE = "0.0.0.0"
HERE = Reach("127.0.0.1", "127.0.0.1")


def reach_of(host: str, folder: Path) -> Reach:
    """How the console is reached at `host`, an IPv4 address of this machine or 0.0.0.0 for all of them.

    Off this machine it speaks TLS with a certificate that is made in `folder`. `UnreachableHost`.
    """
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        raise UnreachableHost(
            f"HOST={host} 不是 IPv4 地址；本机填 127.0.0.1，局域网填 0.0.0.0 或本机的地址 / is no IPv4 address;"
            " 127.0.0.1 is this machine alone, 0.0.0.0 or an address of its own is the network"
        ) from None
    if address.is_loopback:
        return Reach(host, host)
    with socket.socket() as probe:
        try:
            if address.is_multicast:
                raise OSError("nobody's own")
            probe.bind((host, 0))
        except OSError:
            raise UnreachableHost(f"HOST={host} 不是本机的地址 / is no address of this machine") from None
    shown = _own_address() if address.is_unspecified else host
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / f"{shown}.pem", folder / f"{shown}.key"
    if not (certificate.exists() and key.exists() and _lasts(certificate)):
        _make(certificate, key, shown)
    return Reach(host, shown, certificate, key)


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def _lasts(certificate: Path) -> bool:
    openssl = shutil.which("openssl")
    if openssl is None:
        return True  # nobody could make another one
    asked = [openssl, "x509", "-noout", "-checkend", str(SOON_S), "-in", str(certificate)]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def _make(certificate: Path, key: Path, shown: str) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        raise UnreachableHost("制作证书需要 openssl，请先安装 / a certificate is made by openssl: install it first")
    key.touch(mode=0o600)
    made = subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", str(LASTS_DAYS), "-subj", f"/CN={shown}", "-keyout", str(key), "-out", str(certificate),
            "-addext", f"subjectAltName=IP:{shown},IP:127.0.0.1,DNS:localhost",
            "-addext", "extendedKeyUsage=serverAuth",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        key.unlink(missing_ok=True)
        raise UnreachableHost(f"openssl: {made.stderr.strip()}")
