"""Asking along a line: sends what a search says and gathers who answers, when, and what could not be read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from drivers.searching import Ask, Hit, Setting, without_echo
from gateway.installer.scan.sweeps import PATIENT_S, silence_s
from gateway.installer.wire.channels import Channel

AGAIN = 3
"""So many addresses are asked again, patiently, when something came that could not be read."""

HEARD_LIMIT = 1024
"""Bytes that are listened to before the next question is asked anyway."""


@dataclass(slots=True)
class Sweep:
    """What a sweep over one setting has found. `latency_s`: by address, from the request's end to the first byte."""

    hits: dict[tuple[str, str], Hit] = field(default_factory=dict)
    latency_s: dict[tuple[str, str], float] = field(default_factory=dict)
    unread: int = 0
    """Times that something answered and could not be read: another speed or parity, or two at once."""
    sample: bytes = b""
    crowded: list[Ask] = field(default_factory=list)
    """Questions to whoever is there that several answered at once."""
    echo: bool = False


def lasts_s(ask: Ask, setting: Setting, thinks_s: float) -> float:
    """How long one question takes if nobody answers."""
    return silence_s(setting, len(ask.before or ask.frame), _waits_s(ask, thinks_s)) + setting.gap_s


def _waits_s(ask: Ask, thinks_s: float) -> float:
    return max(thinks_s, ask.at_least_s)


async def sweep(
    channel: Channel, setting: Setting, asks: Sequence[Ask], thinks_s: float, found: Sweep
) -> AsyncGenerator[int, None]:
    """Asks one after the other into `found`; yields after each how many are done."""
    for done, ask in enumerate(asks, start=1):
        read = await _ask(channel, setting, ask, _waits_s(ask, thinks_s), found)
        if not read and not ask.address:
            found.crowded.append(ask)
            found.unread -= ask.narrower is not None
        elif not read:
            # Somebody spoke: the one asked now, or a slow one asked before, into this request.
            for again in asks[max(0, done - AGAIN) : done]:
                if again.address:
                    await _ask(channel, setting, again, PATIENT_S, found)
        yield done


async def _ask(channel: Channel, setting: Setting, ask: Ask, thinks_s: float, found: Sweep) -> bool:
    """Asks once; False if something came that could not be read."""
    if ask.before and not await _anybody(channel, setting, ask.before, thinks_s):
        return True
    loop = asyncio.get_running_loop()
    channel.clear()
    channel.send(ask.frame)
    sent_at = loop.time() + len(ask.frame) * setting.character_s
    give_up = loop.time() + silence_s(setting, len(ask.frame), thinks_s)
    data, first_at, hits = b"", 0.0, []
    while True:
        # Once somebody speaks, silence ends the frame; adapters and networks hand bytes over in pieces.
        patience = give_up - loop.time() if first_at == 0.0 else max(setting.gap_s, 0.02)
        more = await channel.hear(max(0.0, patience))
        if not more:
            break
        data += more
        heard = without_echo(data, ask.frame)
        found.echo = found.echo or len(heard) < len(data)
        if heard and first_at == 0.0 and not ask.frame.startswith(heard):
            first_at = loop.time()
        hits = ask.find(heard)
        if any(hit.address == ask.address for hit in hits):
            break
    for hit in hits:
        key = (hit.protocol, hit.address)
        found.hits.setdefault(key, hit)
        if hit.address == ask.address or not ask.address:
            found.latency_s.setdefault(key, max(0.0, first_at - sent_at))
    heard = without_echo(data, ask.frame)
    if (heard or ask.before) and not hits:
        # Also who only acknowledged what was said before is there.
        found.unread += 1
        found.sample = found.sample or heard[:32]
        return False
    if hits:
        await asyncio.sleep(setting.gap_s)
    return True


async def _anybody(channel: Channel, setting: Setting, said: bytes, thinks_s: float) -> bool:
    """Says something; whether anything came back. Returns when the line is quiet again."""
    loop = asyncio.get_running_loop()
    channel.clear()
    channel.send(said)
    give_up = loop.time() + silence_s(setting, len(said), thinks_s)
    data = b""
    # A line that never falls silent is somebody, too.
    while len(data) < HEARD_LIMIT:
        answered = bool(without_echo(data, said)) and not said.startswith(data)
        more = await channel.hear(max(setting.gap_s, 0.02) if answered else max(0.0, give_up - loop.time()))
        if not more:
            return answered
        data += more
    return True
