"""What a reader says, as the gateway hears it: cards by their declared form, PINs, states when they change. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from drivers import cards
from drivers.changes import Changes, Worth
from drivers.errors import FrameError
from drivers.osdp.keypad import Keypad
from drivers.osdp.meaning import Status
from drivers.osdp.product import ReaderOutput, reader_of
from drivers.profiles.profile import Profile
from drivers.profiles.words import CardFormat
from drivers.reports import CredentialRead, InputRefused, PointsRead, Sink

HEARTBEAT_S: Final = 15.0
"""Half of how often the states are asked for: each time that they are, they are told."""


class Hearing:
    """One reader's reports. `card`: the form that the site file declares, None: its profile's. `now`: monotonic."""

    def __init__(
        self, id: str, profile: Profile, card: CardFormat | None, *, sink: Sink, clock: Callable[[], int]
    ) -> None:
        traits = reader_of(profile)
        assert traits is not None
        self._id = id
        self._traits = traits
        self._form = card or traits.card
        self._keypad = Keypad(longest=traits.pin_digits or 1, forget_s=traits.pin_s)
        self._numbers = {
            "inputs": dict(traits.inputs),
            "outputs": {word: out.number for word, out in profile.outputs.items() if isinstance(out, ReaderOutput)},
        }
        self._changes = Changes(id, profile.points, heartbeat_s=HEARTBEAT_S)
        self._sink = sink
        self._clock = clock

    def forget(self) -> None:
        """The reader was away: half a PIN is none, and all that it says is news."""
        self._keypad.clear()
        self._changes.forget()

    def card(self, bits: bytes, length: int) -> None:
        """A card: `length` bits, from the left of `bits`."""
        try:
            value = cards.from_bits(bits, length, self._form)
        except FrameError as wrong:
            self._sink(InputRefused(self._id, str(wrong), wrong.raw[:64]))
        else:
            self._sink(CredentialRead(self._id, "card", value))

    def keys(self, keys: bytes, now: float) -> None:
        """Keys of its pad. What is refused is told without them: they may be a part of a PIN."""
        if not self._traits.pin_digits:
            self._sink(InputRefused(self._id, "keys of a reader that is described without a keypad"))
            return
        for pin in self._keypad.press(keys, now):
            if isinstance(pin, FrameError):
                self._sink(InputRefused(self._id, str(pin)))
            else:
                self._sink(CredentialRead(self._id, "pin", pin))

    def states(self, of: Status, states: tuple[int, ...], now: float) -> None:
        """States of itself, of its inputs or its outputs."""
        if of == "local":
            words = zip(("tampered", "power_failed"), states, strict=False)
            self.tell((Worth(word, bool(state), "good") for word, state in words), now)
        else:
            known = self._numbers[of].items()
            self.tell((Worth(word, bool(states[at]), "good") for word, at in known if at < len(states)), now)

    def tell(self, seen: Iterable[Worth], now: float) -> None:
        """Reports what is worth a report."""
        readings = self._changes.news(seen, now, self._clock())
        if readings:
            self._sink(PointsRead(self._id, readings))
