"""A control panel on osdp 1.6, run by that peer's interpreter: one reader at address 0, with or without a channel.

`osdp_panel.py PORT MASTER`; MASTER: its master key in hex (the reader's key is derived from it and the reader's
number, and set by the default key where the reader has none), or "plain". Prints "ready", then a line of JSON for
everything that the reader says by itself. Lines on standard input: "local", "inputs", "outputs" ask for states,
"lamp" lights it green for a while, "output 0|1" switches the first output, "set" asks whether a channel stands; each is
answered by a line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import osdp  # type: ignore[import-untyped]

ADDRESS = 0


def say(**fields: Any) -> None:
    """One line of JSON."""
    print(json.dumps(fields), flush=True)


class Panel(osdp.ControlPanel):  # type: ignore[misc]
    """Tells what comes."""

    def on_raw_card_data_reply_received(self, address: int, raw_card_data: Any) -> None:
        say(card=raw_card_data.data.hex(), bits=raw_card_data.bit_count)

    def on_keypad_data_reply_received(self, address: int, keypad_data: Any) -> None:
        say(keys=keypad_data.data.hex())

    def on_nak_reply_received(self, address: int, nak: Any) -> None:
        say(nak=nak.error_code.value)


def lamp() -> Any:
    """Green for two seconds."""
    temporary, permanent, colour = osdp.TemporaryReaderControlCode, osdp.PermanentReaderControlCode, osdp.LedColor
    green = osdp.ReaderLedControl(
        0, 0, temporary.SetTemporaryAndStartTimer, 1, 0, colour.Green, colour.Green, 20,
        permanent.Nop, 0, 0, colour.Black, colour.Black,
    )  # fmt: skip
    return osdp.ReaderLedControls([green])


def switch(on: bool) -> Any:
    """The first output, for good."""
    codes = osdp.OutputControlCode
    code = codes.PermanentStateOnAbortTimedOperation if on else codes.PermanentStateOffAbortTimedOperation
    return osdp.OutputControls([osdp.OutputControl(0, code, 0)])


def main() -> None:
    """Works until standard input ends."""
    port, master = sys.argv[1], sys.argv[2]
    secure = master != "plain"
    panel = Panel(bytes.fromhex(master) if secure else None)
    line = panel.start_connection(osdp.SerialPortOsdpConnection(port, 115200))
    panel.add_device(line, ADDRESS, True, secure)
    device = panel._buses[line]._configured_devices[ADDRESS]  # its own way to ask is not there
    print("ready", flush=True)
    acts: dict[str, Callable[[], dict[str, Any]]] = {
        "local": lambda: {"tampered": panel.local_status(line, ADDRESS).tamper},
        "inputs": lambda: {"states": list(panel.input_status(line, ADDRESS).statuses)},
        "outputs": lambda: {"states": list(panel.output_status(line, ADDRESS).statuses)},
        "lamp": lambda: {"done": panel.reader_led_control(line, ADDRESS, lamp())},
        "output 1": lambda: {"done": panel.output_control(line, ADDRESS, switch(True))},
        "output 0": lambda: {"done": panel.output_control(line, ADDRESS, switch(False))},
        "set": lambda: {"secure": device.is_security_established, "default": device.is_scbkd},
    }
    for word in sys.stdin:
        try:
            say(answer=acts[word.strip()]())
        except (TimeoutError, ValueError) as wrong:
            say(answer={"wrong": repr(wrong)})
    panel.shutdown()


if __name__ == "__main__":
    main()
