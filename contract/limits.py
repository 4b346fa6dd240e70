"""How much of anything a message may hold: the one place where the contract's sizes stand.

What a machine names things by is an `Id`, what people and devices say is `Words`; lists and maps say how many they
hold by `Few`, `Several` or `Many`. JSON documents that travel as they stand are bounded in bytes. The limits lie above
all that this house makes or takes in (the forms of hub and gateway allow less), and below what costs anybody time.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

ID_LENGTH = 256
"""Characters of an id, a code, a unit, an address: `device.point` has 129, an alarm's rule names two things."""

WORDS_LENGTH = 8_000
"""Characters of what somebody says: twice a ticket's text, the longest that a form takes."""

Id = Annotated[str, msgspec.Meta(max_length=ID_LENGTH)]
Words = Annotated[str, msgspec.Meta(max_length=WORDS_LENGTH)]

Few = msgspec.Meta(max_length=100)
"""Of a list or map: what somebody wrote by hand for one thing (zones of a door, windows of a schedule, arguments)."""

Several = msgspec.Meta(max_length=1_000)
"""What belongs to one thing (places of a grant, dates of a schedule, values that a rule looked at)."""

Many = msgspec.Meta(max_length=20_000)
"""What belongs to a whole site: its points, its open alarms, the history of a ticket."""

BATCH_LIMIT = 200
"""Events in one batch at the most."""

READINGS_LIMIT = 20_000
"""Readings in one message at the most, over all its points."""

COLUMN_LIMIT = 1_000_000
"""Readings in one column at the most: a gateway's own file gathers a fast point's for minutes."""

ITEMS_LIMIT = 10_000
"""Items in one step of the desired state at the most; the hub sends a thousand."""

ITEM_BYTES = 1_000_000
"""JSON of one item of the desired state at the most."""

EVENT_BYTES = 64_000
"""JSON of one event's data at the most, of kinds that tell of one thing, and of kinds that nobody knows."""

WIDE_EVENT_BYTES = 400_000
"""The same of kinds that tell of minutes, or of many things: a batch of one such event still travels unpacked."""

LAYOUT_EVENT_BYTES = 3_000_000
"""The same of what a whole site is made of: some 15,000 points with their names in both languages."""

PICTURE_LIMIT = 600_000
"""Bytes of one JPEG at the most: as base64 in one payload it still travels."""
