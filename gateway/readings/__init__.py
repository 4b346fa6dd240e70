"""What every point was worth: kept for the site's charts and until the hub has it, apart from the journal."""

from gateway.readings.store import Keep, ReadingsStore

__all__ = ["Keep", "ReadingsStore"]
