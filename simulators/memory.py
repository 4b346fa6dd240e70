"""What the simulated devices counted, kept over a restart: a meter that goes back is no meter."""

from __future__ import annotations

import json
import time
from pathlib import Path

import structlog

from simulators.site import SimSite

SAVE_EVERY_S = 10.0

log = structlog.get_logger("simulators.memory")


def recall(path: Path, site: SimSite) -> None:
    """Gives the devices what they had counted; a file that cannot be read is told and left aside."""
    if not path.exists():
        return
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        away_s = time.time() - float(document["at"])
        site.remember({str(part): dict(kept) for part, kept in document["parts"].items()}, away_s)
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        log.warning("the memory of the devices cannot be read; they begin anew", path=str(path), why=str(wrong))


def keep(path: Path, site: SimSite) -> None:
    """Writes what was counted, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps({"at": time.time(), "parts": site.memory()}), encoding="utf-8")
    part.replace(path)
