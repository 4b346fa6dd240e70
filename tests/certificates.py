"""An authority of a test's own and what it signs: openssl, a second or less."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.tools import tool


class Signed(NamedTuple):
    """PEM files. `ca`: the authority to trust."""

    certificate: Path
    key: Path
    ca: Path


def signed(folder: Path, name: str = "server") -> Signed:
    """A certificate for this machine (localhost, 127.0.0.1), by the folder's authority."""
    ca, ca_key = folder / "ca.pem", folder / "ca.key"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    if not ca.exists():
        _openssl("req", "-x509", *curve, "-subj", "/CN=test authority", "-keyout", str(ca_key), "-out", str(ca))
    found = Signed(folder / f"{name}.pem", folder / f"{name}.key", ca)
    _openssl(
        *("req", "-x509", *curve, "-subj", f"/CN={name}", "-CA", str(ca), "-CAkey", str(ca_key)),
        *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"),
        *("-keyout", str(found.key), "-out", str(found.certificate)),
    )
    return found


def _openssl(*arguments: str) -> None:
    subprocess.run([tool("openssl"), *arguments], check=True, capture_output=True)
