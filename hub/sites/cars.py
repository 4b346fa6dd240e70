"""The car before a barrier as its gateway's events tell: who stands there is an aspect of the lane like any other."""

from __future__ import annotations

from typing import NamedTuple, cast

from contract.facts.entry import Access, CarArrived, CarLeft, PassageMade
from hub.database.event import StoredEvent
from web.cars import StandingCar


class CarGone(NamedTuple):
    """The car that stood there by the event at this place stands there no longer."""

    stream: str | None
    seq: int | None


def said_of_car(event: StoredEvent) -> StandingCar | CarGone | None:
    """What an event of a lane says of the car before its barrier; None: nothing."""
    match event.typed():
        case Access(stands=True) as access:
            return _standing(
                event,
                plate=access.credential.value or None,
                picture=access.picture,
                outcome="granted" if event.kind == "access.granted" else "denied",
                holder=access.holder,
                blocked=access.reason.code == "blocked_plate",
            )
        case CarArrived() as car:
            return _standing(
                event, plate=car.plate, picture=car.picture, outcome=car.outcome, holder=car.holder, blocked=car.blocked
            )
        case CarLeft(after=after, after_stream=stream):
            return CarGone(stream, after)
        case PassageMade(after=int(after), after_stream=stream):
            return CarGone(stream or event.stream, after)
        case _:
            return None


def car_after(held: object, said: object) -> StandingCar | None:
    """The car that stands there once that was said; another's leaving leaves it there."""
    if not isinstance(said, CarGone):
        return cast("StandingCar | None", said)
    car = cast("StandingCar | None", held)
    if car is None or said.seq is None or (car["stream"], car["seq"]) == said:
        return None
    return car


def _standing(event: StoredEvent, **known: object) -> StandingCar:
    first = event.first
    place = {
        "stream": event.stream if first is None else first.stream,
        "seq": event.seq if first is None else first.seq,
    }
    return cast(StandingCar, {"read_at": event.at if known["plate"] or known["outcome"] else None, **known, **place})
