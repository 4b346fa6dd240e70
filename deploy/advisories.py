"""`python -m deploy.advisories OSV.zip…`: which advisories concern what both locks pin; needs no network.

The files are OSV's exports, one zip for each ecosystem (PyPI, npm), fetched wherever there is a network. Exit code
1: something that is delivered is concerned; 2: a file cannot be read. Source: OSV schema 1.6 (`affected`, `ranges`,
`versions`, `withdrawn`).
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from packaging.version import InvalidVersion, Version

from deploy.bill import Component, components


class Concern(NamedTuple):
    """An advisory that names a version we pin. `fixed`: where it is mended, as it says; empty: nowhere yet."""

    component: Component
    advisory: str
    summary: str
    fixed: str


def concerns(found: Iterable[Component], advisories: Iterable[dict[str, Any]]) -> Iterator[Concern]:
    """Each pair of a component and an advisory in force for its version."""
    by_name: dict[tuple[str, str], list[Component]] = {}
    for each in found:
        by_name.setdefault((each.ecosystem, each.name), []).append(each)
    for advisory in advisories:
        if advisory.get("withdrawn"):
            continue
        told = set()
        for affected in advisory.get("affected", ()):
            package = affected.get("package", {})
            name = package.get("name", "")
            key = package.get("ecosystem", ""), name.lower().replace("_", "-").replace(".", "-")
            for component in by_name.get(key, []) or by_name.get((key[0], name), []):
                fixed = _concerned(component.version, affected)
                if fixed is not None and component not in told:
                    told.add(component)
                    yield Concern(component, advisory["id"], advisory.get("summary", ""), fixed)


def _concerned(version: str, affected: dict[str, Any]) -> str | None:
    """Where it is mended, if the version is concerned. A version that cannot be compared is concerned: better told."""
    ours = _version(version)
    for each in affected.get("ranges", ()):
        if each.get("type") == "GIT":
            continue
        inside, fixed = False, ""
        for event in each.get("events", ()):
            for what, limit in event.items():
                reached = limit == "0" or ours is None or (other := _version(limit)) is None or ours >= other
                if what == "introduced" and reached:
                    inside, fixed = True, ""
                elif what == "fixed":
                    inside, fixed = inside and (ours is None or not reached), limit
                elif what == "last_affected" and ours is not None and reached and limit != version:
                    inside = False
        if inside:
            return fixed
    return "" if version in affected.get("versions", ()) else None


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def read(path: str) -> Iterator[dict[str, Any]]:
    """The advisories of an export."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                yield json.loads(archive.read(name))


def main(paths: list[str]) -> int:
    """Prints what is concerned, what is delivered first."""
    if not paths:
        sys.stderr.write(__doc__ or "")
        return 2
    pinned = components()
    found: list[Concern] = []
    for path in paths:
        try:
            found += concerns(pinned, read(path))
        except (OSError, zipfile.BadZipFile, ValueError, KeyError) as error:
            sys.stderr.write(f"{path}: not an export of OSV: {error}\n")
            return 2
    for each in sorted(found, key=lambda each: (not each.component.delivered, each.component)):
        where = "delivered" if each.component.delivered else "for building only"
        mended = f"mended in {each.fixed}" if each.fixed else "not mended yet"
        sys.stdout.write(f"{each.component.purl}  {each.advisory}  {where}, {mended}: {each.summary}\n")
    sys.stderr.write(f"{len(pinned)} packages, {len(found)} concerns\n")
    return int(any(each.component.delivered for each in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
