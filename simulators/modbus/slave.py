"""What one Modbus unit answers to one request: a PDU in, a PDU out, over a bank of bits and words. Pure.

Source: Modbus application protocol V1.1b3, sections 6.1–6.6, 6.11, 6.12 and 7.
"""

from __future__ import annotations

from typing import Protocol

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
DEVICE_FAILURE = 4


class ModbusException(Exception):
    """The unit answers with this exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code}")
        self.code = code


class Bank(Protocol):
    """What a unit holds. Every method raises `ModbusException` where the unit would answer with an exception."""

    def bits(self, fc: int, address: int, count: int) -> list[bool]:
        """Coils (fc 1) or discrete inputs (fc 2)."""

    def words(self, fc: int, address: int, count: int) -> list[int]:
        """Holding registers (fc 3) or input registers (fc 4)."""

    def set_coil(self, address: int, raw: int) -> None:
        """`raw`: FF00 on, 0000 off; other values mean what the product says (a timed pulse, a toggle)."""

    def set_words(self, address: int, words: list[int]) -> None:
        """Holding registers, from `address` on."""


def exception(code: int, why: int) -> bytes:
    """The PDU that refuses function `code`."""
    return bytes((code | 0x80, why))


def answer(bank: Bank, pdu: bytes) -> bytes:
    """The PDU that a unit with `bank` sends back for `pdu`."""
    try:
        return _answer(bank, pdu)
    except ModbusException as refused:
        return exception(pdu[0], refused.code)


def _answer(bank: Bank, pdu: bytes) -> bytes:
    code = pdu[0]
    if code not in (1, 2, 3, 4, 5, 6, 15, 16):
        raise ModbusException(ILLEGAL_FUNCTION)
    if len(pdu) < 5:
        raise ModbusException(ILLEGAL_VALUE)
    address = int.from_bytes(pdu[1:3], "big")
    operand = int.from_bytes(pdu[3:5], "big")
    if code <= 2:
        _check(operand, 2000)
        packed = _packed(bank.bits(code, address, operand))
        return bytes((code, len(packed))) + packed
    if code <= 4:
        _check(operand, 125)
        words = b"".join(word.to_bytes(2, "big") for word in bank.words(code, address, operand))
        return bytes((code, len(words))) + words
    if code == 5:
        bank.set_coil(address, operand)
        return pdu[:5]
    if code == 6:
        bank.set_words(address, [operand])
        return pdu[:5]
    return _write_many(bank, code, address, operand, pdu)


def _write_many(bank: Bank, code: int, address: int, count: int, pdu: bytes) -> bytes:
    body = pdu[6:]
    _check(count, 0x7B0 if code == 15 else 0x7B)
    expected = (count + 7) // 8 if code == 15 else count * 2
    if len(pdu) < 6 or pdu[5] != expected or len(body) != expected:
        raise ModbusException(ILLEGAL_VALUE)
    if code == 15:
        bank.bits(1, address, count)
        for place in range(count):
            on = body[place // 8] >> (place % 8) & 1
            bank.set_coil(address + place, 0xFF00 if on else 0)
    else:
        bank.set_words(address, [int.from_bytes(body[at : at + 2], "big") for at in range(0, expected, 2)])
    return pdu[:5]


def _check(count: int, limit: int) -> None:
    if not 1 <= count <= limit:
        raise ModbusException(ILLEGAL_VALUE)


def _packed(bits: list[bool]) -> bytes:
    packed = bytearray((len(bits) + 7) // 8)
    for place, bit in enumerate(bits):
        packed[place // 8] |= bit << (place % 8)
    return bytes(packed)
