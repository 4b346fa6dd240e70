"""Runs one tool to its end: options read, the exit status set, Ctrl-C and troubles told in words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import typer

from gateway.tools import typed
from gateway.tools.language import Language
from gateway.tools.screen import Screen
from gateway.tools.sweeps import settings
from gateway.tools.trouble import INTERRUPTED, Trouble


def screen(language: Language, *, as_json: bool) -> Screen:
    """Where the tool writes."""
    return Screen(language, as_json=as_json)


def finish(out: Screen, tool: Callable[[], int | Coroutine[Any, Any, int]]) -> None:
    """Runs it and exits with its status."""
    try:
        made = tool()
        status = made if isinstance(made, int) else asyncio.run(made)
    except Trouble as trouble:
        out.note(trouble.why.zh, trouble.why.en, "red")
        out.record(error=out.say.of(trouble.why))
        raise typer.Exit(trouble.code) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(status)


def scan(out: Screen, *, port: str | None, net: str | None, **options: Any) -> None:
    """`scan`."""

    def tool() -> Coroutine[Any, Any, int]:
        if (port is None) == (net is None):
            raise Trouble(
                "要给出 --port（串口）或 --net（网段），二者之一",
                "name --port (a serial line) or --net (a subnet), one of them",
            )
        from gateway.tools.asks import PROTOCOLS  # noqa: PLC0415

        names = list(PROTOCOLS) if options["protocol"] is None else options["protocol"].split(",")
        for name in names:
            if name not in PROTOCOLS:
                known = ", ".join(PROTOCOLS)
                raise Trouble(f"不认识协议 {name}，可用：{known}", f"there is no protocol {name}; there are: {known}")
        units = typed.numbers(options["unit"], 1, 247, "--unit")
        from gateway.tools import scan as tool  # noqa: PLC0415

        assert port is not None
        bauds = (
            None
            if options["baud"] is None
            else typed.numbers(options["baud"], typed.SPEEDS[0], typed.SPEEDS[-1], "--baud")
        )
        parities = None if options["parity"] is None else typed.parities(options["parity"])
        order = tool.Order(
            port=port,
            settings=settings(bauds, parities, options["stop_bits"]),
            units=units,
            protocols=names,
            thinks_s=None if options["patience"] is None else options["patience"] / 1000,
            every=options["every"],
            fit=options["fit"],
        )
        return tool.scan(out, order)

    finish(out, tool)


def guess(out: Screen, *, words: str | None, expect: float | None) -> None:
    """`guess`."""

    def tool() -> int:
        from gateway.tools import guess as tool  # noqa: PLC0415

        if words is None:
            raise Trouble("要给出 --words", "name --words")
        return tool.show(out, [typed.registers([words])], expect)

    finish(out, tool)
