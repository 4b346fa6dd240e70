"""What happened at the site, on its own disk, in order and chained; and the state that decisions depend on."""

from gateway.journal.journal import Journal
from gateway.journal.records import Draft, Recorded, StateChange
from gateway.journal.stall import StallWatcher
from gateway.journal.state import Late
from gateway.journal.tables import BrokenChain, NotHeld
from gateway.journal.upkeep import Keep
from gateway.sqlite.disk import Disk, JournalInUse, JournalTooNew
from gateway.sqlite.file import Damage, Damages

__all__ = [
    "BrokenChain",
    "Damage",
    "Damages",
    "Disk",
    "Draft",
    "Journal",
    "JournalInUse",
    "JournalTooNew",
    "Keep",
    "Late",
    "NotHeld",
    "Recorded",
    "StallWatcher",
    "StateChange",
]
