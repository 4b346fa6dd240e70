"""Who was found by a search, as tables, site files and machines want to see it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from contract.speech import Speech
from drivers.profiles.profile import Profile
from drivers.searching import Hit, Setting, address_of
from gateway.installer.scan.ranking import LIKELY, POSSIBLE, Fit, alike
from gateway.installer.scan.sitelines import Place
from gateway.installer.terminal.wording import lasting

SHOWN = 3


@dataclass(slots=True)
class Found:
    """Somebody who answers. `setting`: None on a network. `fits`: Modbus products, best first; `products`: those of
    other protocols that it may be.
    """

    hit: Hit
    setting: Setting | None
    latency_s: float | None
    fits: Sequence[Fit] = ()
    products: Sequence[Profile] = field(default_factory=list)

    @property
    def best(self) -> Profile | None:
        """The product that it most likely is; None if that cannot be said."""
        if self.fits:
            return self.fits[0].profile if self.fits[0].score >= POSSIBLE else None
        return self.products[0] if self.products else None

    @property
    def sure(self) -> bool:
        """Whether the product needs no second look."""
        if self.fits:
            return self.fits[0].score >= LIKELY and len(alike(self.fits)) == 1
        return len(self.products) == 1

    def cells(self, say: Speech) -> list[str]:
        """Latency, product and how well it fits, as cells of a table."""
        latency = "—" if self.latency_s is None else lasting(self.latency_s, say)
        if self.best is None:
            return [latency, say("不认识", "not recognised"), "—"]
        if self.fits:
            return [latency, self.best.id, f"{self.fits[0].score} %"]
        more = (
            "" if self.sure else say(f"（或 {len(self.products) - 1} 种其他）", f" (or {len(self.products) - 1} more)")
        )
        return [latency, self.best.id + more, say.of(self.hit.says)]

    def place(self) -> Place:
        """For the site file."""
        best = self.best
        return Place(best.id if best else None, best.kind if best else "device", address_of(self.hit), self.sure)

    def as_json(self, say: Speech) -> dict[str, object]:
        """For machines."""
        fields: dict[str, object] = {
            "protocol": self.hit.protocol,
            "address": self.hit.address,
            "latency_ms": None if self.latency_s is None else round(1000 * self.latency_s, 1),
            "says": say.of(self.hit.says),
            "profile": self.best.id if self.best else None,
            "products": [profile.id for profile in self.products],
            "fits": [_fit(fit) for fit in self.fits[:SHOWN]],
        }
        if self.setting is not None:
            fields |= {"baud": self.setting.baud, "parity": self.setting.parity, "stop_bits": self.setting.stop_bits}
        return fields


def _fit(fit: Fit) -> dict[str, object]:
    return {
        "profile": fit.profile.id,
        "score": fit.score,
        "bits": round(fit.bits, 1),
        "checked": fit.checked,
        "agreed": fit.agreed,
        "why": [{"zh": words.zh, "en": words.en} for words in fit.why],
        "against": [{"zh": words.zh, "en": words.en} for words in fit.against],
    }


Buses = Mapping[str, tuple[Mapping[str, object], Collection[Found]]]
"""By an id for the bus: the bus, and who is on it."""
