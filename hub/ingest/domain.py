"""What is known of each sender: what the domain brings to the whole."""

from __future__ import annotations

from hub.domain import Domain
from hub.ingest.away import AWAY
from hub.ingest.models import ReadingStore, Stream
from hub.ingest.presence import SILENCE

DOMAIN = Domain(
    tables=(Stream, ReadingStore),
    jobs=(SILENCE, AWAY),
)
