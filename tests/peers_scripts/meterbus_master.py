"""pyMeterBus as master, run by that peer's interpreter: reads all telegrams of one meter and prints them as JSON.

`meterbus_master.py PORT BAUD ADDRESS`: a primary address, or 16 digits of a secondary one. `meterbus_master.py HEX`:
only decodes a telegram. Prints {"address": secondary address, "records": [{value, unit, type, function, storage}]}.
"""

from __future__ import annotations

import json
import sys

import meterbus  # type: ignore[import-not-found]
import serial  # type: ignore[import-untyped]


def main() -> None:
    """The command line."""
    if len(sys.argv) == 2:
        telegrams = [meterbus.load(bytes.fromhex(sys.argv[1]))]
    else:
        port, baud, address = sys.argv[1:]
        with serial.Serial(port, int(baud), 8, "N", 1, timeout=3) as line:
            telegrams = read(line, address)
    told = [told_of(record) for telegram in telegrams for record in telegram.records]
    print(json.dumps({"address": telegrams[0].secondary_address, "records": told}))


def read(line: serial.Serial, address: str) -> list[meterbus.TelegramLong]:
    """Every telegram, until the meter says that there is no more."""
    if len(address) == 16:
        meterbus.send_select_frame(line, address)
        number = meterbus.ADDRESS_NETWORK_LAYER
    else:
        number = int(address)
        meterbus.send_ping_frame(line, number)
    assert isinstance(meterbus.load(meterbus.recv_frame(line, 1)), meterbus.TelegramACK)
    request = meterbus.send_request_frame_multi(line, number)
    telegrams = [meterbus.load(meterbus.recv_frame(line))]
    while telegrams[-1].more_records_follow:
        request.header.cField.parts[0] ^= meterbus.CONTROL_MASK_FCB
        meterbus.send_request_frame_multi(line, req=request)
        telegrams.append(meterbus.load(meterbus.recv_frame(line)))
    return telegrams


def told_of(record: meterbus.TelegramVariableDataRecord) -> dict[str, object]:
    """What a record says."""
    said = record.interpreted
    value = said.get("value")
    return {
        "value": value if isinstance(value, str) or value is None else float(value),
        "unit": said.get("unit"),
        "type": said.get("type"),
        "function": said.get("function"),
        "storage": said.get("storage_number"),
    }


if __name__ == "__main__":
    main()
