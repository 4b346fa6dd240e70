"""Opening by hand for the car that stands there: case by case."""

from __future__ import annotations

import pytest

from contract.commands import Subject
from rules.passage.cars import Car
from rules.passage.openings import opening_fault

HERE, BEFORE = Subject(stream="0" * 32, seq=7), Subject(stream="0" * 32, seq=3)
VISITOR, BLOCKED = Car(plate="苏E54321", place=HERE), Car(plate="粤B88888", blocked=True, place=HERE)

# situation: the car, for which entry, which plate was typed, in own words → code of the reason why not
CASES: list[tuple[str, Car | None, Subject | None, str | None, bool, str | None]] = [
    ("nobody stands there", None, None, None, False, None),
    ("a visitor, for his entry", VISITOR, HERE, None, False, None),
    ("a visitor, for no entry", VISITOR, None, None, False, None),
    ("for a car that has gone", None, HERE, None, False, "other_car"),
    ("for the car before", VISITOR, BEFORE, None, False, "other_car"),
    ("where it is not recorded yet who stands there", Car(plate="苏E54321"), HERE, None, False, None),
    ("a blocked car by habit", BLOCKED, HERE, None, False, "blocked_car"),
    ("a blocked car with a reason only", BLOCKED, HERE, None, True, "blocked_car"),
    ("with another plate", BLOCKED, HERE, "粤B88889", True, "blocked_car"),
    ("with its plate only", BLOCKED, HERE, "粤B88888", False, "blocked_car_why"),
    ("with its plate, written otherwise, and a reason", BLOCKED, HERE, "粤b·88888", True, None),
    ("a blocked car without an entry", BLOCKED, None, "粤B88888", True, None),
    ("a blocked car that has gone", VISITOR, BEFORE, "粤B88888", True, "other_car"),
]


@pytest.mark.parametrize(
    ("car", "subject", "despite", "own_words", "code"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_case(
    car: Car | None, subject: Subject | None, despite: str | None, own_words: bool, code: str | None
) -> None:
    fault = opening_fault(car, subject, despite, own_words=own_words)
    assert (None if fault is None else fault.code) == code
    # Whoever sees no passing reads it too.
    assert fault is None or "粤B88888" not in fault.zh + fault.en
