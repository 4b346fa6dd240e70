"""Several things that one request asks for: of each the answer says what became of it. Pure."""

from __future__ import annotations

from typing_extensions import TypedDict

from web.errors import Refusal
from web.shapes import Command, Text, Ticket, text_of


class Refused(TypedDict):
    """Why something was not done, of several that were asked for at once."""

    code: str
    message: Text


class AlarmAsked(TypedDict):
    """What became of one alarm of several: the command about it, or why there is none."""

    id: str
    command: Command | None
    refused: Refused | None


class AlarmsAsked(TypedDict):
    """What became of each, in the order in which they were named."""

    items: list[AlarmAsked]


class TicketAsked(TypedDict):
    """What became of one ticket of several: the ticket after the step, or why it was not taken."""

    id: str
    ticket: Ticket | None
    refused: Refused | None


class TicketsAsked(TypedDict):
    """What became of each, in the order in which they were named."""

    items: list[TicketAsked]


def refused_of(refusal: Refusal) -> Refused:
    """A refusal as one of several answers; it has both languages, as one answer is read by whoever shows it."""
    return {"code": refusal.code, "message": text_of(refusal.message)}
