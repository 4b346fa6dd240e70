"""What the files of electricity meters say of transformers, and what must agree with it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from drivers.profiles.head import Fault
from drivers.profiles.profile import Multiplier
from drivers.profiles.words import ELECTRICITY_METER, Head, Transformers

RATIOS = frozenset({"ct", "pt"})
"""The names of transformers' ratios, in points, multipliers and site files."""


_FLOWS = frozenset({"none", "primary"})
"""With these a meter's values are what flows; a ratio that the site file says all the same corrects them."""


class Counted(Protocol):
    """A value of a file with its unit and what it is multiplied by."""

    @property
    def unit(self) -> str: ...

    @property
    def times(self) -> list[str]: ...


def site_ratio(name: str, transformers: Transformers | None) -> Multiplier:
    """A ratio that only the site file can say. Until it does it is 1 where values are, as a rule, what flows."""
    return Multiplier(id=name, assumed=1.0 if transformers in _FLOWS else None)


def transformer_faults(file: Head, parts: Mapping[str, Counted], given: Collection[str]) -> Iterator[Fault]:
    """Where the values of a file contradict its `transformers`. `given`: the ratios that the site file says."""
    said = file.transformers
    if said is None:
        return
    if file.kind != ELECTRICITY_METER:
        yield Fault(("transformers",), f"only a product of the kind {ELECTRICITY_METER} stands behind transformers")
    for word, part in parts.items():
        ratios = RATIOS & set(part.times)
        if said in _FLOWS and ratios - set(given):
            yield Fault(("points", word, "times"), f"with transformers: {said} no ratio is read from the meter")
        if said not in _FLOWS and part.unit == "kWh" and "ct" not in ratios:
            yield Fault(("points", word, "times"), f"with transformers: {said} energy is multiplied by ct")
