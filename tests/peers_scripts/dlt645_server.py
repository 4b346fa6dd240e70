"""The package dlt645's meter on TCP, run by that peer's interpreter, until its standard input ends.

`dlt645_server.py ADDRESS VALUES`: ADDRESS in the order of the wire (this package does not turn it round); VALUES is
JSON, items in hex to values. Prints {"port": …}.
"""

from __future__ import annotations

import json
import sys

from dlt645 import MeterServerService  # type: ignore[import-not-found]

SETS = {0: "set_00", 2: "set_02", 4: "set_04"}


def main() -> None:
    """The command line."""
    server = MeterServerService.new_tcp_server("127.0.0.1", 0, 30.0)
    server.set_address(sys.argv[1])
    for item, value in json.loads(sys.argv[2]).items():
        number = int(item, 16)
        assert getattr(server, SETS[number >> 24])(number, value), item
    assert server.start()
    print(json.dumps({"port": server.server.port}), flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
