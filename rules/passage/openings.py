"""Whether a barrier may be opened by hand for the car that stands before it. Pure.

A person opens for the car that they saw: one that has gone since is not the next one. For a car on the block list they
say its plate, and why in words of their own: three keys pressed by habit are not enough.
"""

from __future__ import annotations

from contract.commands import Subject
from contract.texts import Reason
from rules.access.values import normal_plate
from rules.passage.cars import Car
from rules.reasons import reason


def opening_fault(car: Car | None, subject: Subject | None, despite: str | None, *, own_words: bool) -> Reason | None:
    """Why it is not opened, or None. `car`: what stands there. `subject`: for which entry it was asked, if for one.

    `despite`: the plate of a blocked car that was typed; `own_words`: whether a reason was written. No answer names the
    plate: also those read it who see no passing.
    """
    if subject is not None and (car is None or (car.place is not None and car.place != subject)):
        return reason("other_car")
    if car is None or not car.blocked or car.plate is None:
        return None
    if despite is None or normal_plate(despite) != normal_plate(car.plate):
        return reason("blocked_car")
    return None if own_words else reason("blocked_car_why")
