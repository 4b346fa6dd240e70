"""The journal: what happened at the site, on its own disk, in order, chained; and the state that decisions depend on."""

from gateway.journal.records import Draft, Recorded, StateChange

__all__ = ["Draft", "Recorded", "StateChange"]
