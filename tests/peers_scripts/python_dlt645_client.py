"""The package python-dlt645, run by that peer's interpreter: a meter's address and its total energy as JSON.

`python_dlt645_client.py PORT`, a line whose speed is set already (a pty).
"""

from __future__ import annotations

import json
import os
import sys

import dlt645  # type: ignore[import-not-found]


def main() -> None:
    """The command line."""
    with os.fdopen(os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY), "r+b", buffering=0) as line:
        address = dlt645.get_addr(line)
        print(json.dumps({"address": address, "energy": dlt645.get_active_energy(address, line)}))


if __name__ == "__main__":
    main()
