"""`python -m deploy.bill`: the bill of materials of both locks, as CycloneDX 1.5 JSON (OWASP; ECMA-424).

What runs is named with the hashes that the locks pin, so that what a machine has can be compared with it. The console's
packages for building it are `excluded` in the standard's sense: they are not in what is delivered.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

ROOT = Path(__file__).parents[1]
PYTHON_LOCK = ROOT / "requirements.lock"
NODE_LOCK = ROOT / "web" / "console" / "package-lock.json"

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class Component(NamedTuple):
    """One package. `ecosystem`: `PyPI` or `npm`, as OSV names them; `hashes`: (algorithm, hexadecimal)."""

    ecosystem: str
    name: str
    version: str
    hashes: tuple[tuple[str, str], ...] = ()
    delivered: bool = True

    @property
    def purl(self) -> str:
        """Package URL (purl specification; a scope's @ is percent-encoded)."""
        kind = "pypi" if self.ecosystem == "PyPI" else "npm"
        return f"pkg:{kind}/{quote(self.name, safe='/')}@{quote(self.version, safe='')}"


def python_components(lock: str) -> Iterator[Component]:
    """Of a lock with hashes. A line that is neither a package nor a hash nor a comment: ValueError."""
    joined = lock.replace("\\\n", " ")
    for number, line in enumerate(joined.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        pinned = _PINNED.match(line)
        if pinned is None:
            raise ValueError(f"requirements.lock, package {number}: expected NAME==VERSION, not {line.strip()[:80]!r}")
        name = re.sub(r"[-_.]+", "-", pinned[1]).lower()
        yield Component("PyPI", name, pinned[2], tuple(("SHA-256", digest) for digest in _HASH.findall(line)))


def node_components(lock: str) -> Iterator[Component]:
    """Of a package-lock.json of version 2 or 3."""
    packages = json.loads(lock)["packages"]
    for path, package in packages.items():
        if not path or package.get("link"):
            continue
        name = package.get("name") or path.rpartition("node_modules/")[2]
        algorithm, _, digest = package.get("integrity", "").partition("-")
        hashes = ((f"SHA-{algorithm[3:]}", base64.b64decode(digest).hex()),) if digest else ()
        yield Component("npm", name, package["version"], hashes, delivered=not package.get("dev", False))


def components() -> list[Component]:
    """Everything that both locks pin, each once."""
    found = [*python_components(PYTHON_LOCK.read_text()), *node_components(NODE_LOCK.read_text())]
    return sorted(set(found))


def bill(found: list[Component]) -> dict[str, object]:
    """The document. Its serial number is made of what it holds: the same locks give the same bill."""
    parts = [
        {
            "type": "library",
            "bom-ref": each.purl,
            "name": each.name,
            "version": each.version,
            "purl": each.purl,
            "scope": "required" if each.delivered else "excluded",
            "hashes": [{"alg": algorithm, "content": content} for algorithm, content in each.hashes],
        }
        for each in {each.purl: each for each in found}.values()
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(parts))}",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "gatehouse", "name": "gatehouse"}},
        "components": parts,
    }


if __name__ == "__main__":
    json.dump(bill(components()), sys.stdout, indent=1)
    sys.stdout.write("\n")
