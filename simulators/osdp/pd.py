"""libosdp's peripheral device: one reader's end of the protocol. The only place here that touches the library.

What the binding of release 3.2 does not do is got round: it keeps the tuple that a callback returns, and drops one
reference too many of what is in it; and it takes no states for an answer (see `_answer`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import osdp_sys  # type: ignore[import-not-found]

from drivers.osdp.codec import Frame

osdp_sys.set_loglevel(osdp_sys.LOG_EMERG)

STEPS: Final = 3
EVENTS_LIMIT: Final = 4
"""What a reader keeps for the gateway until it asks."""

INPUTS: Final = osdp_sys.STATUS_REPORT_INPUT
OUTPUTS: Final = osdp_sys.STATUS_REPORT_OUTPUT
LOCAL: Final = osdp_sys.STATUS_REPORT_LOCAL

Obey = Callable[[dict[str, Any]], bool]
"""Carries a command (the library's dict) out; False refuses it."""


class _Channel:
    id = 0

    def __init__(self) -> None:
        self.heard = b""
        self.said = b""

    def read(self, most: int) -> bytes:
        heard, self.heard = self.heard, b""
        return heard

    def write(self, data: bytes) -> int:
        self.said += data
        return len(data)

    def flush(self) -> None:
        """Frames come whole: there is nothing to throw away."""


class Pd:
    """A reader at an address. Without a key it is as it leaves the factory: it takes one by the default key.

    `states`: what it answers when it is asked for inputs, outputs or its own condition.
    """

    def __init__(
        self,
        address: int,
        key: bytes | None,
        capabilities: dict[int, int],
        *,
        serial_number: int,
        obey: Obey,
        states: Callable[[int], bytes],
    ) -> None:
        self.address = address
        self._channel = _Channel()
        self._obey = obey
        self._states = states
        info = {
            "name": f"pd-{address}",
            "address": address,
            "flags": 0,
            "scbk": key,
            "channel": self._channel,
            "version": 1,
            "model": 1,
            "vendor_code": 0x00475348,
            "serial_number": serial_number,
            "firmware_version": 0x00010000,
        }
        known = [
            {"function_code": code, "compliance_level": 1, "num_items": count} for code, count in capabilities.items()
        ]
        self._library = osdp_sys.PeripheralDevice(info, capabilities=known)
        self._library.set_command_callback(self._commanded)

    @property
    def secure(self) -> bool:
        """Whether it has a secure channel now."""
        return bool(self._library.is_sc_active())

    def heard(self, frame: Frame) -> bytes:
        """What it answers to a frame for its address; b"" if nothing."""
        self._channel.heard, self._channel.said = frame.raw, b""
        for _ in range(STEPS):
            self._library.refresh()
            if self._channel.said:
                break
        return self._channel.said

    def card(self, bits: bytes, length: int) -> bool:
        """A card was shown; False if it keeps too much already."""
        return self._event(
            {"event": osdp_sys.EVENT_CARDREAD, "reader_no": 0, "format": 1, "direction": 0, "length": length}
            | {"data": bits}
        )

    def keys(self, keys: bytes) -> bool:
        """Keys were pressed."""
        return self._event({"event": osdp_sys.EVENT_KEYPRESS, "reader_no": 0, "data": keys})

    def report(self, of: int, states: bytes) -> bool:
        """Inputs, outputs or its own condition changed."""
        return self._event({"event": osdp_sys.EVENT_STATUS, "type": of, "report": states})

    def _event(self, event: dict[str, Any]) -> bool:
        return bool(self._library.submit_event(event))

    def _commanded(self, command: dict[str, Any]) -> tuple[int, Any]:
        refused = 0 if self._obey(command) else -1
        answer = _answer(self._states(command["type"])) if command["command"] == osdp_sys.CMD_STATUS else None
        return refused, answer  # built anew each time: a constant tuple would lose its None


@cache
def _answer(states: bytes) -> dict[str, Any]:
    """States as an answer of the callback, which the binding would leave empty.

    The bytes go in as a key: in the library's union of commands a key's bytes 2 to 5 are the number of states, and the
    states follow. Kept, because the binding drops a reference.
    """
    return {"command": osdp_sys.CMD_KEYSET, "type": 0, "data": bytes([0, 0, len(states), 0, 0, 0]) + states}
