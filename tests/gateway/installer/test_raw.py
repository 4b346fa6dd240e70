"""Registers as they are, on lines that a test plays: what an adapter repeats is never an answer."""

from __future__ import annotations

import pytest

from drivers.modbus.encode import Write
from drivers.modbus.wires import ModbusRtuBus
from gateway.installer.terminal.trouble import Trouble
from gateway.installer.values.raw import write_registers
from tests.drivers.slave import Slave, Unit

ON = Write(5, 0, (0xFF00,))


@pytest.mark.parametrize("echoes", [False, True])
async def test_an_echo_confirms_no_write(*, echoes: bool) -> None:
    unit = Unit(bits={(1, 0): False})
    slave = Slave({1: unit})
    slave.echoes = echoes
    bus = ModbusRtuBus(kind="modbus-rtu", port=slave.open_line(), baud=115200, timeout_s=0.2)
    try:
        seen = await write_registers(bus, 1, ON)
        assert seen is not None and seen.values() == [1]
        unit.silent = True
        with pytest.raises(Trouble, match="unit 1 did not answer"):
            await write_registers(bus, 1, ON)
    finally:
        await slave.close()
