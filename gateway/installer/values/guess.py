"""`guess`: registers in all orders side by side, from the command line or from a device."""

from __future__ import annotations

import asyncio

from contract.speech import Speech
from drivers.modbus.wires import AnyModbus
from drivers.profiles.wording import number
from gateway.installer.asked import GuessAsked
from gateway.installer.terminal.screen import Screen
from gateway.installer.values.likely import ORDERS, TYPES, Cell, Guess, guesses
from gateway.installer.values.raw import Registers, wire_of
from gateway.installer.values.raw import ask as ask_wire

MARK = "◀"

BETWEEN_S = 0.4
"""Between two reads: a measured value moves a little, and a wrong order of its bytes a lot."""


def show(screen: Screen, reads: list[list[int]], expect: float | None) -> int:
    """Prints every reading of the registers; the exit status."""
    say = screen.say
    found = guesses(reads, expect)
    words = " ".join(f"{word:04X}" for word in reads[-1])
    screen.line(f"寄存器 {words}", f"registers {words}", "bold")
    for guess in found:
        if len(found) > 1:
            screen.line(f"第 {guess.first + 1}–{guess.first + guess.width} 个：", f"{_nth(guess)}:")
        screen.table((say("类型", "type"), *_orders(guess)), _rows(guess))
        _verdict(screen, guess)
    screen.record(registers=words.split(), guesses=[_as_json(guess) for guess in found])
    return 0


async def ask(screen: Screen, bus: AnyModbus, start: int, options: GuessAsked, expect: float | None) -> int:
    """Reads the registers several times, then as `show`."""
    asked = Registers(bus=bus, unit=options["unit"], fc=options["fc"], start=start, count=options["count"])
    reads: list[list[int]] = []
    async with wire_of(bus, asked.unit) as wire:
        with screen.doing(options["reads"]) as step:
            for done in range(options["reads"]):
                if done:
                    await asyncio.sleep(BETWEEN_S)
                reads.append((await ask_wire(wire, asked)).words())
                step.now(screen.say("读取", "reading"), done + 1)
    return show(screen, reads, expect)


def _nth(guess: Guess) -> str:
    last = guess.first + guess.width
    return f"register {last}" if guess.width == 1 else f"registers {guess.first + 1} to {last}"


def _orders(guess: Guess) -> list[str]:
    if guess.width == 1:
        return ["AB", "BA"]
    return [order if guess.width == 2 else _long(order) for order in ORDERS]


def _long(order: str) -> str:
    return {"ABCD": "ABCDEFGH", "CDAB": "GHEFCDAB", "BADC": "BADCFEHG", "DCBA": "HGFEDCBA"}[order] + f" ({order})"


def _rows(guess: Guess) -> list[list[str]]:
    rows = []
    for type in TYPES[guess.width]:
        cells = [cell for cell in guess.cells if cell.type == type]
        rows.append([type, *(_cell(cell, guess.best) for cell in cells)])
    return rows


def _cell(cell: Cell, best: Cell | None) -> str:
    return f"{shown(cell)} {MARK}" if cell is best else shown(cell)


def shown(cell: Cell) -> str:
    """A cell's latest value: a 32-bit float with the digits that it has."""
    value = cell.value
    if isinstance(value, float):
        return f"{value:.7g}" if cell.type == "f32" else f"{value:.10g}"
    return number(value)


def _verdict(screen: Screen, guess: Guess) -> None:
    best = guess.best
    if best is None:
        screen.line("没有哪种读法可信：全为零或“无效值”标记", "nothing can be told: zeros, or a marker for “no value”")
        return
    say: Speech = screen.say
    why = say.listed([say.of(words) for words in best.why])
    order = {"ABCD": "AB", "BADC": "BA"}[best.order] if guess.width == 1 else best.order
    scaled = "" if best.scale == 1.0 else f", scale: {best.scale:g}"
    screen.line(
        f"最可能：{best.type} {order} = {shown(best)}（{why}）",
        f"likeliest: {best.type} {order} = {shown(best)} ({why})",
        "green",
    )
    screen.line(
        f"产品型号文件里写：{{type: {best.type}, order: {best.order}{scaled}}}",
        f"in a profile: {{type: {best.type}, order: {best.order}{scaled}}}",
    )


def _as_json(guess: Guess) -> dict[str, object]:
    best = guess.best
    return {
        "first": guess.first,
        "width": guess.width,
        "best": None
        if best is None
        else {"type": best.type, "order": best.order, "value": best.value, "scale": best.scale},
        "readings": [{"type": cell.type, "order": cell.order, "value": _finite(cell.value)} for cell in guess.cells],
    }


def _finite(value: int | float) -> int | float | str:
    """JSON knows neither NaN nor infinity."""
    return value if isinstance(value, int) or value - value == 0 else str(value)
