"""A simulated door reader: its key, its lamp and buzzer, its tamper contact, and what can be wrong with it."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import osdp_sys  # type: ignore[import-not-found]

from drivers import cards
from drivers.cards import WrongForm
from drivers.osdp.codec import Frame
from drivers.osdp.meaning import COLOURS, LONGEST_S, TICK_S
from drivers.osdp.product import ReaderCommand, ReaderOutput, reader_of
from simulators.actions import OutputPulsed, OutputSet
from simulators.device import SimDevice
from simulators.faults import Faults
from simulators.lines.text import CannotRead
from simulators.osdp.pd import INPUTS, LOCAL, OUTPUTS, Pd

_COLOURS: Mapping[int, str] = {number: colour for colour, number in COLOURS.items()}
_FOLDER: Final = "osdp"
_MUTE: Final = ("silent", "offline")


class SimReader:
    """One reader on a line. Its key outlives a restart, as a reader's does."""

    def __init__(self, device: SimDevice, faults: Faults, folder: Path) -> None:
        traits = reader_of(device.profile)
        assert traits is not None
        self.device = device
        self._traits = traits
        self._faults = faults
        self._key_file = folder / _FOLDER / f"{device.id}.key"
        self._outputs = [
            (word, output.number) for word, output in device.profile.outputs.items() if isinstance(output, ReaderOutput)
        ]
        self._told: dict[int, bytes] = {}
        self._lamp, self._lamp_for_now, self._lamp_until = "black", "black", 0.0
        self._beeps = 0
        self._text = ""
        self._condition = self._wrong()
        self.pd: Pd | None = None
        self.turn_on()

    @property
    def address(self) -> int:
        """Its address on the line."""
        return self.device.config.unit

    def turn_on(self) -> None:
        """Its power comes: it knows its key and nothing else."""
        self._told.clear()
        self._lamp = self._lamp_for_now = "black"
        self._text = ""
        self.pd = Pd(
            self.address,
            self._key(),
            self._capabilities(),
            serial_number=int.from_bytes(hashlib.sha256(self.device.id.encode()).digest()[:4], "big"),
            obey=self._obey,
            states=self._states,
        )

    def attend(self) -> None:
        """Follows faults, and tells what changed."""
        condition = self._wrong()
        if condition != self._condition:
            self._condition = condition
            self.pd = None
            if condition != "offline":
                self.turn_on()
        self._show()
        if self.pd is None or not self._told:
            return
        for of, before in list(self._told.items()):
            states = self._states(of)
            if states != before and self.pd.report(of, states):
                self._told[of] = states

    def heard(self, frame: Frame) -> bytes:
        """What it says to a frame for it; b"" while it is mute."""
        if self.pd is None or self._faults.any_of(self.device.id, *_MUTE):
            return b""
        said = self.pd.heard(frame)
        if said and not self._told:
            self._told = {of: self._states(of) for of in (LOCAL, INPUTS, OUTPUTS) if of == LOCAL or self._states(of)}
        if said and self._faults.has(self.device.id, "corrupt"):
            return said[:-3] + bytes([said[-3] ^ 0x10]) + said[-2:]
        return said

    # --- What people do at it

    def present(self, card: str) -> bool:
        """Shows a card; False if the reader keeps it to itself. `CannotRead` if it reads no such card."""
        form = self.device.config.card or self._traits.card
        try:
            bits, length = cards.to_bits(card.strip().upper(), form)
        except (WrongForm, ValueError) as wrong:
            raise CannotRead(f"{card!r:.60} cannot be read by {self.device.id} ({form.format}): {wrong}") from wrong
        return self._awake() and self._pd_now().card(bits, length)

    def type(self, keys: str) -> bool:
        """Types at its keypad: digits, # and *. `CannotRead` if it has none, or not such keys."""
        if not self._traits.pin_digits:
            raise CannotRead(f"{self.device.id} has no keypad")
        if not keys or set(keys) - set("0123456789#*"):
            raise CannotRead(f"{keys!r:.40} cannot be typed: digits, # and * are expected")
        pressed = keys.encode().replace(b"#", b"\r").replace(b"*", b"\x7f")
        return self._awake() and self._pd_now().keys(pressed)

    # --- Inside

    def _awake(self) -> bool:
        return self.pd is not None and self._faults.any_of(self.device.id, *_MUTE) is None

    def _pd_now(self) -> Pd:
        assert self.pd is not None
        return self.pd

    def _wrong(self) -> str | None:
        return self._faults.any_of(self.device.id, "offline", "factory-reset", "wrong-key")

    def _key(self) -> bytes | None:
        if self._condition == "wrong-key":
            return secrets.token_bytes(16)
        if self._condition == "factory-reset":
            return None
        try:
            return bytes.fromhex(self._key_file.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None

    def _keep(self, key: bytes) -> None:
        self._key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._key_file.with_name(self._key_file.name + ".part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(key.hex())
        part.replace(self._key_file)

    def _capabilities(self) -> dict[int, int]:
        traits = self._traits
        wanted = {
            osdp_sys.CAP_CONTACT_STATUS_MONITORING: len(traits.inputs),
            osdp_sys.CAP_OUTPUT_CONTROL: len(self._outputs),
            osdp_sys.CAP_READER_LED_CONTROL: int(traits.lamp),
            osdp_sys.CAP_READER_AUDIBLE_OUTPUT: int(traits.buzzer),
            osdp_sys.CAP_READER_TEXT_OUTPUT: int(self._has("text")),
            osdp_sys.CAP_COMMUNICATION_SECURITY: 1,
        }
        return {code: count for code, count in wanted.items() if count}

    def _has(self, act: str) -> bool:
        commands = self.device.profile.commands.values()
        return any(isinstance(each, ReaderCommand) and each.act == act for each in commands)

    def _states(self, of: int) -> bytes:
        if of == LOCAL:
            tampered = self._faults.has(self.device.id, "tamper") or bool(self.device.value("tampered"))
            return bytes([tampered, bool(self.device.value("power_failed"))])
        numbers = self._traits.inputs.items() if of == INPUTS else self._outputs
        return bytes(bool(self.device.value(word)) for word, _ in sorted(numbers, key=lambda each: each[1]))

    def _obey(self, command: dict[str, Any]) -> bool:
        match command["command"]:
            case osdp_sys.CMD_KEYSET:
                self._keep(bytes(command["data"]))
            case osdp_sys.CMD_OUTPUT:
                return self._switch(command)
            case osdp_sys.CMD_LED:
                self._light(command)
            case osdp_sys.CMD_BUZZER:
                self._beeps += command["rep_count"]
            case osdp_sys.CMD_TEXT:
                self._text = str(command["data"])
        self._show()
        return True

    def _switch(self, command: dict[str, Any]) -> bool:
        word = next((word for word, number in self._outputs if number == command["output_no"]), None)
        if word is None:
            return False
        code = command["control_code"]
        if code == 5:
            seconds = min(LONGEST_S, command["timer_count"] * TICK_S)
            self.device.act(OutputPulsed(word, seconds))
        else:
            self.device.act(OutputSet(word, code in {2, 4}))
        return True

    def _light(self, command: dict[str, Any]) -> None:
        colour = _COLOURS.get(command["on_color"], "white")
        if command["temporary"]:
            self._lamp_for_now = colour
            self._lamp_until = self.device.now + command["timer_count"] * TICK_S
        else:
            self._lamp = colour

    def _show(self) -> None:
        lamp = self._lamp_for_now if self.device.now < self._lamp_until else self._lamp
        self.device.shows = {"lamp": lamp, "beeps": self._beeps}
        if self._has("text"):
            self.device.shows["text"] = self._text
