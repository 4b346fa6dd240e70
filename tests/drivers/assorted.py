"""A product that has every type in every order of bytes, its values, and its registers as the standard lays them.

The layout here is written down apart from the drivers' and the simulators' own: high word first is what Modbus says
(application protocol V1.1b3, section 4.2), the other orders are what products do.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from contract.readings import Value

ORDERS: dict[str, tuple[int, int, int, int]] = {
    "ABCD": (0, 1, 2, 3),
    "CDAB": (2, 3, 0, 1),
    "BADC": (1, 0, 3, 2),
    "DCBA": (3, 2, 1, 0),
}
"""Which byte of a 32-bit value comes first, second, …; values of another width go by the same rule."""

PACKED: dict[str, tuple[str, float]] = {
    "u16": (">H", 0xBEEF),
    "i16": (">h", -12345),
    "u32": (">I", 0xDEADBEEF),
    "i32": (">i", -1234567890),
    "f32": (">f", -1234.5),
    "u64": (">Q", 0x0011223344556677),
    "i64": (">q", -0x0011223344556677),
    "f64": (">d", 3.141592653589793),
}
BITS = [True, False, True, True, False, False, False, True, False, True]


class Held(NamedTuple):
    """One value and where it is: `name` of the point without its function code."""

    name: str
    type: str
    order: str
    address: int
    words: list[int]
    value: float


def _words(data: bytes, order: str) -> list[int]:
    pairs = [data[at : at + 2] for at in range(0, len(data), 2)]
    if order in {"CDAB", "DCBA"}:
        pairs.reverse()
    if order in {"BADC", "DCBA"}:
        pairs = [pair[::-1] for pair in pairs]
    if len(data) == 4:
        assert b"".join(pairs) == bytes(data[place] for place in ORDERS[order])
    return [int.from_bytes(pair, "big") for pair in pairs]


def assorted() -> list[Held]:
    """Everything, address by address."""
    found: list[Held] = []
    address = 0
    for kind, (form, value) in PACKED.items():
        number = value if kind.startswith("f") else int(value)
        data = struct.pack(form, number)
        for order in ("ABCD", "BADC") if len(data) == 2 else ORDERS:
            words = _words(data, order)
            found.append(Held(f"{kind}_{order.lower()}", kind, order, address, words, value))
            address += len(words)
    return found


WORDS = [word for held in assorted() for word in held.words]
"""The registers from address 0 on, holding and input alike."""


def profile_text(id: str = "assorted", period_s: float = 0.05) -> str:
    """The product as a profile file says it: h_… holding, i_… input registers, c_… coils, d_… discrete inputs."""
    lines = [
        f"id: {id}",
        "kind: test",
        "protocol: modbus",
        "name: {zh: 各式, en: Assorted}",
        "confidence: own",
        "sources: [tests/drivers/assorted.py]",
        f"poll: {{alarm: {period_s}, normal: {period_s}, meter: {period_s}}}",
        "points:",
    ]
    for fc, letter in ((3, "h"), (4, "i")):
        for held in assorted():
            name = f"{letter}_{held.name}"
            lines.append(
                f"  {name}: {{fc: {fc}, address: {held.address}, type: {held.type}, order: {held.order}, "
                f"name: {{zh: {name}, en: {name}}}}}"
            )
    for fc, letter in ((1, "c"), (2, "d")):
        lines += [
            f"  {letter}_{at}: {{fc: {fc}, address: {at}, type: bit, name: {{zh: 位 {at}, en: Bit {at}}}}}"
            for at in range(len(BITS))
        ]
    return "\n".join(lines) + "\n"


def expected() -> dict[str, Value]:
    """What every point of the product must read as."""
    found: dict[str, Value] = {}
    for held in assorted():
        found[f"h_{held.name}"] = found[f"i_{held.name}"] = held.value
    for at, bit in enumerate(BITS):
        found[f"c_{at}"] = found[f"d_{at}"] = bit
    return found
