"""The journal's file as its writer opens it: what a new one begins with, and what goes on from a damaged one."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from contract.events import Clock as ClockState
from contract.facts.gateway import JournalDamaged, StreamForked
from gateway.clock import PLAUSIBLE_FROM_MS, plausible
from gateway.journal import tables
from gateway.journal.records import Draft, Fact, Place, fact, placed, rechained
from gateway.journal.salvage import Salvaged, salvage
from gateway.sqlite.disk import Disk, intact
from gateway.sqlite.file import PATIENCE_S, Damage, Damages, Opened, StoreFile

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JournalStanding:
    """Where a journal stands. `wall_ms`: the last instant in it; `state`: what decisions depend on, by kind and id."""

    place: Place
    acked: int
    first: int
    wall_ms: int
    state: dict[str, dict[str, bytes]]


def journal_file(
    path: Path,
    disk: Disk,
    damages: Damages | None,
    *,
    source: str,
    machine_ms: Callable[[], int],
    stood: Callable[[], Place | None],
) -> StoreFile[JournalStanding]:
    """The file in `path`. `stood`: where the writer stood when the file was found damaged, if it knew."""

    def fill(db: sqlite3.Connection, damage: Damage | None) -> None:
        place = stood()
        if damage is None:
            tables.begin_stream(db, 0 if place is None else place.id, after=0 if place is None else place.number)
            return
        found = salvage(damage.path)
        now_ms, clock = _moment(machine_ms(), found.wall_ms)
        go_on(db, found, place, kept=damage.kept, why=damage.why, source=source, now_ms=now_ms, clock=clock)

    return StoreFile(
        path, tables.MIGRATIONS, take=_standing, fill=fill, machine_ms=machine_ms,
        patience_s=PATIENCE_S, disk=disk, damages=damages,
    )  # fmt: skip


def nowhere() -> Opened[JournalStanding]:
    """Where a journal stands as long as nothing of its file is known: in a stream that nobody will ever see."""
    standing = JournalStanding(Place(0, secrets.token_hex(16)), acked=0, first=1, wall_ms=0, state={})
    return Opened(standing, error=OSError("not opened yet"), found=False)


def forked(
    db: sqlite3.Connection, place: Place, *, path: Path, agreed: int, first: Callable[[int, int], Fact]
) -> tuple[Place, tables.Forked]:
    """A fork (`tables.fork`), as a job of the writer; `Damaged` if there are rows that are none."""
    with intact(path):
        return tables.fork(db, place, agreed=agreed, first=first)


def _standing(db: sqlite3.Connection) -> JournalStanding:
    current = tables.current(db)
    if current is None:
        raise ValueError("there is no stream in it")
    place, acked = current
    state = tables.all_state(db)
    for by_id in state.values():
        for value in by_id.values():
            msgspec.json.decode(value)
    return JournalStanding(place, acked, tables.first_held(db, place.number) or 1, tables.last_wall(db), state)


def go_on(
    db: sqlite3.Connection,
    found: Salvaged,
    stood: Place | None,
    *,
    kept: str,
    why: str,
    source: str,
    now_ms: int,
    clock: ClockState,
) -> None:
    """Puts into a new file what a damaged one still gave, inside the caller's transaction. `stood`: where the writer
    stood, if it knew.

    The stream goes on with every event at its place: only the hub can say which of them it has. A damaged end is what
    an older copy of the journal is: if the hub has more, it will fork. Only without any event to follow, a new stream
    begins.
    """
    known = bool(found.stream and found.rows)
    last_id = max((0 if stood is None else stood.id, *(row.id for row in found.rows)))
    # A number of its own: for those who compare places, what is in the new file is later than what was in the old.
    before = max(found.number, 0 if stood is None else stood.number)
    if known:
        last = found.rows[-1]
        place = Place(before + 1, found.stream, last.seq, last.hash, last_id)
        tables.go_on(db, place.number, place.stream, found.acked or 0)
        tables.insert(db, (row._replace(number=place.number) for row in found.rows))
    else:
        place = tables.begin_stream(db, last_id, after=before)
        told = StreamForked(
            old_stream=found.stream,
            agreed=found.acked or 0,
            why=f"the journal was damaged ({why}); kept as {kept}",
            moved=len(found.unsent),
            missing=found.missing,
        )
        first, place = placed([fact(Draft(kind="stream.forked", source=source, data=told), now_ms, clock)], place)
        moved, place = rechained(found.unsent, place, found.stream)
        tables.insert(db, [*first, *moved])
    damage = JournalDamaged(kept=kept, why=why, saved=len(found.unsent), missing=found.missing)
    said, _ = placed([fact(Draft(kind="journal.damaged", source=source, data=damage), now_ms, clock)], place)
    tables.insert(db, said)
    tables.change_state(db, found.state)
    tables.remember_wall(db, now_ms)
    log.error("journal.saved", kept=kept, saved=len(found.unsent), missing=found.missing, state=len(found.state))


def _moment(machine_ms: int, recorded_ms: int) -> tuple[int, ClockState]:
    """Now, as far as it is known before the gateway's clock runs: never before what is recorded."""
    if plausible(machine_ms) and machine_ms >= recorded_ms:
        return machine_ms, "ok"
    return max(recorded_ms, PLAUSIBLE_FROM_MS), "doubtful"
