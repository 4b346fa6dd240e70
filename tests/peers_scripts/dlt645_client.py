"""The package dlt645's client, run by that peer's interpreter: reads items of one meter and prints them as JSON.

`dlt645_client.py PORT BAUD ADDRESS ITEM …`: ADDRESS in the order of the wire (this package does not turn it round),
items in hex. Prints {"address": hex as it came, "items": {item: value or null}}.
"""

from __future__ import annotations

import json
import sys

from dlt645 import MeterClientService  # type: ignore[import-not-found]

READS = {0: "read_00", 2: "read_02", 4: "read_04"}


def main() -> None:
    """The command line."""
    port, baud, address, *items = sys.argv[1:]
    client = MeterClientService.new_rtu_client(port, int(baud), 8, 1, "N", 3.0)
    assert client.connect()
    told = client.read_address()
    client.set_address(address)
    found = {}
    for item in items:
        number = int(item, 16)
        answer = getattr(client, READS[number >> 24])(number)
        found[item] = None if answer is None else answer.value
    client.disconnect()
    print(json.dumps({"address": None if told is None else str(told.value), "items": found}))


if __name__ == "__main__":
    main()
