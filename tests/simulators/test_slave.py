"""One unit's answers: the examples of the Modbus application protocol, and everything it must refuse."""

from __future__ import annotations

import pytest

from simulators.modbus.slave import ILLEGAL_ADDRESS, ModbusException, answer


class Table:
    """A bank of 200 coils, inputs and registers with known contents."""

    def __init__(self) -> None:
        self.coils: dict[int, int] = {}
        self.registers = {107: 0x022B, 108: 0, 109: 0x0064, 8: 0x000A}
        self.bits_on: set[int] = set()

    def bits(self, fc: int, address: int, count: int) -> list[bool]:
        self._check(address, count)
        return [at in self.bits_on for at in range(address, address + count)]

    def words(self, fc: int, address: int, count: int) -> list[int]:
        self._check(address, count)
        return [self.registers.get(at, 0) for at in range(address, address + count)]

    def set_coil(self, address: int, raw: int) -> None:
        self._check(address, 1)
        self.coils[address] = raw

    def set_words(self, address: int, words: list[int]) -> None:
        self._check(address, len(words))
        self.registers.update({address + place: word for place, word in enumerate(words)})

    def _check(self, address: int, count: int) -> None:
        if address + count > 200:
            raise ModbusException(ILLEGAL_ADDRESS)


CASES = [
    ("fc 1, section 6.1", "01 00 13 00 13", "01 03 CD 6B 05"),
    ("fc 3, section 6.3", "03 00 6B 00 03", "03 06 02 2B 00 00 00 64"),
    ("fc 4, section 6.4", "04 00 08 00 01", "04 02 00 0A"),
    ("fc 5, section 6.5", "05 00 AC FF 00", "05 00 AC FF 00"),
    ("fc 6, section 6.6", "06 00 01 00 03", "06 00 01 00 03"),
    ("fc 15, section 6.11", "0F 00 13 00 0A 02 CD 01", "0F 00 13 00 0A"),
    ("fc 16, section 6.12", "10 00 01 00 02 04 00 0A 01 02", "10 00 01 00 02"),
    ("unknown function", "2B 0E 01 00 00", "AB 01"),
    ("beyond the last address", "03 00 C7 00 02", "83 02"),
    ("nothing wanted", "03 00 01 00 00", "83 03"),
    ("more than fits", "03 00 01 00 7E", "83 03"),
    ("too short", "03 00", "83 03"),
    ("fc 16 whose count lies", "10 00 01 00 02 02 00 0A", "90 03"),
    ("fc 15 whose bytes are missing", "0F 00 13 00 0A 02 CD", "8F 03"),
    ("fc 15 beyond the last address", "0F 00 C5 00 0A 02 CD 01", "8F 02"),
]


@pytest.mark.parametrize(("name", "request_", "expected"), CASES, ids=[case[0] for case in CASES])
def test_answers_of_the_specification(name: str, request_: str, expected: str) -> None:
    table = Table()
    # The coils of the specification's example: CD 6B 05 from address 19 on.
    table.bits_on = {0x13 + place for place in range(19) if 0x056BCD >> place & 1}
    assert answer(table, bytes.fromhex(request_)) == bytes.fromhex(expected)


def test_many_coils_are_set_lowest_bit_first() -> None:
    table = Table()
    answer(table, bytes.fromhex("0F 00 13 00 0A 02 CD 01"))
    on = [address for address, raw in sorted(table.coils.items()) if raw == 0xFF00]
    assert on == [19, 21, 22, 25, 26, 27]
    assert len(table.coils) == 10


def test_a_value_that_is_neither_on_nor_off_reaches_the_product() -> None:
    table = Table()
    assert answer(table, bytes.fromhex("05 00 02 00 07")) == bytes.fromhex("05 00 02 00 07")
    assert table.coils == {2: 7}
