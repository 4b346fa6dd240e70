"""Opens lines of OSDP readers."""

from __future__ import annotations

from drivers.bus import Bus
from drivers.installed import Devices, Gateway, Opening, WrongInstallation
from drivers.osdp.bus import OsdpBus
from drivers.osdp.codec import EVERYBODY
from drivers.osdp.keys import KeyStore
from drivers.osdp.port import Opener, SerialOpener, TcpOpener
from drivers.osdp.reader import Reader
from drivers.osdp.wires import OsdpSerialBus, OsdpTcpBus


def open_wire(id: str, bus: OsdpSerialBus | OsdpTcpBus, devices: Devices, gateway: Gateway) -> Bus:
    """The owner of a wire of kind `osdp-…`."""
    opener: Opener = (
        SerialOpener(bus.port, bus.baud) if isinstance(bus, OsdpSerialBus) else TcpOpener(bus.host, bus.port)
    )
    store = KeyStore(gateway.folder)
    wire = OsdpBus(id, opener, store=store, sink=gateway.sink)
    readers: dict[int, Reader] = {}
    for reader, (installed, profile) in devices.items():
        if not 0 <= installed.unit < EVERYBODY:
            raise WrongInstallation(f"{reader}: an OSDP address is 0 to {EVERYBODY - 1}, not {installed.unit}")
        if installed.unit in readers:
            raise WrongInstallation(f"{reader}: {readers[installed.unit].id} has the address {installed.unit} on {id}")
        readers[installed.unit] = Reader(
            reader,
            installed.unit,
            profile,
            installed.card,
            secure=installed.secure,
            store=store,
            sink=wire.report,
            clock=gateway.clock,
        )
    wire.take_in(list(readers.values()))
    return wire


OPENING = Opening[OsdpSerialBus | OsdpTcpBus]((OsdpSerialBus, OsdpTcpBus), open_wire)
