"""Commands: each carried out at most once, never after its expiry; who and why is recorded, the result is an event.

An id is recorded before the act. A command that was under way when the process died is reported as failed at the next
start and never tried again. So is one of before the start, as long as the disk does not say whether it was done.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, Protocol

import msgspec
import structlog

from config.site import Site
from contract.commands import Command
from contract.facts.entry import HitAcknowledged
from contract.facts.gateway import CommandResult
from contract.facts.hub import CommandAsked
from contract.instants import instant, milliseconds
from contract.texts import Text
from drivers.bus import CommandFailed
from gateway.engine.alarms.alarms import Alarms
from gateway.engine.alarms.episodes import Alarm
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.record import Facts
from gateway.engine.doors.doors import Doors
from gateway.engine.hits import Remembers, hit_fault
from gateway.engine.lanes.lanes import Lanes
from rules.commands import admissible
from rules.passage.cars import Car
from rules.passage.openings import opening_fault
from rules.quick_reasons import in_own_words
from web import shapes
from web.arguments import args_shown

log = structlog.get_logger(__name__)

ACT_WITHIN_S = 3.0
"""Devices confirm within this time or have failed."""

WITHIN_S: Mapping[str, float] = {"reader.set_key": 20.0}
"""Acts that take several exchanges, one after the other."""

REMEMBER_MS = 24 * 3600 * 1000
REMEMBER_LIMIT = 5_000
"""How long, and how many, ids of executed commands are remembered: far longer than any command lives."""

ON_DISK_S = 0.1
"""How long the disk may hold up an act: it must not lock people in."""

UNKNOWN_TARGET = Text("目标不存在", "There is no such target")
RESTARTED = Text("执行中网关重启，结果未知，不再重试", "The gateway restarted meanwhile: result unknown, not retried")
NOT_WRITABLE = Text("该点不可写", "This point cannot be written")
ALARM_OVER = Text("告警已结束", "The alarm is over")
ALARM_UNKNOWN = Text(
    "网关没有这条告警（早已结束，或随记录丢失），两边的告警即将核对",
    "The gateway has no such alarm (long over, or lost with its records); both sides' alarms are being compared",
)
CRASHED = Text("网关内部错误，指令未完成", "A fault inside the gateway: the command was not completed")

State = Literal["sent", "done", "failed", "expired"]


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """A command and what became of it. Instants as in the command; `why`: for people, if it was not done."""

    command: Command
    state: State
    at: int
    why: Text | None = None


class CommandRefused(Exception):
    """The command cannot be carried out here; `text` says why."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


class Recalls(Remembers, Protocol):
    """The journal as commands need it."""

    async def on_disk(self, *, within_s: float) -> bool:
        """Whether every append so far is on the disk, waiting at most `within_s` seconds."""


Act = Callable[[Command, float, Facts], Awaitable[None]]
"""Carries a command out within so many seconds; adds what it changed to the facts.
`CommandRefused`, `CommandFailed`."""


class Commands:
    """The one road of every command, from the hub and from this site's own screen."""

    def __init__(
        self,
        site: Site,
        desk: Desk,
        alarms: Alarms,
        *,
        writable: frozenset[str],
        doors: Doors,
        lanes: Lanes,
        journal: Recalls,
        on_unknown_alarm: Callable[[], None],
    ) -> None:
        self.commands: OrderedDict[str, Remembered] = OrderedDict()
        self.counts = {"done": 0, "failed": 0, "expired": 0, "repeated": 0}
        self._site = site.site
        self._writable = writable
        self._doors = doors
        self._lanes = lanes
        self._alarms = alarms
        self._buses = desk.buses
        self._record = desk.record
        self._journal = journal
        self._clock = desk.clock
        self._began = desk.clock.monotonic()
        self._on_unknown_alarm = on_unknown_alarm
        self._acts: Mapping[str, Act] = {
            "door.unlock": self._unlock_door,
            "door.mode": self._set_door_mode,
            "barrier.open": self._open_barrier,
            "barrier.close": self._close_barrier,
            "alarm.ack": self._acknowledge,
            "alarm.shelve": self._shelve,
            "alarm.unshelve": self._unshelve,
            "point.write": self._write_point,
            "reader.set_key": self._set_key,
            "hit.acknowledge": self._note_hit,
        }

    def start(self) -> None:
        """Remembers what was asked before; what was under way then has failed."""
        self._remember(self._record.load_state("command", Remembered, self._remember))

    def has_target(self, kind: str, target: str) -> bool:
        """Whether a command of `kind` can name `target`."""
        noun = kind.partition(".")[0]
        match noun:
            case "door":
                return target in self._doors
            case "barrier":
                return target in self._lanes
            case "hit":
                return target in self._doors or target in self._lanes
            case "alarm":
                return target in self._alarms.alarms
            case "point":
                return target in self._writable
            case "reader":
                return self._buses.keeps_keys(target)
            case _:
                return False

    async def carry_out(self, command: Command, *, local: bool = False) -> None:
        """Does what is asked, at most once. `local`: asked at this gateway, so that the clocks are the same."""
        clock_ok = local or self._clock.state == "ok" or self._clock.hub_ms() is not None
        admission = admissible(command, self.commands, self._now_ms(local=local), clock_ok=clock_ok)
        why = None if admission.reason is None else Text(admission.reason.zh, admission.reason.en)
        match admission.verdict:
            case "repeated":
                self.counts["repeated"] += 1
            case "expired":
                await self._answer(command, "expired", why)
            case "refused":
                await self._answer(command, "failed", why)
            case "go" if not local and self._may_be_done(command):
                await self._answer(command, "failed", RESTARTED)
            case "go":
                await self._go(command, local=local)

    def item(self, command: str) -> shapes.Command | None:
        """The command as the REST interface and the live stream show it; None if nobody knows it."""
        known = self.commands.get(command)
        return None if known is None else self._item(known.command, known)

    def asked_item(self, command: Command) -> shapes.Command:
        """A command that was just asked here, as the answer to who asked."""
        return self._item(command, self.commands.get(command.id))

    # --- Inside

    def _remember(self, found: Mapping[str, Remembered]) -> None:
        facts = Facts()
        both = sorted((*found.values(), *self.commands.values()), key=lambda each: each.at)
        self.commands = OrderedDict((each.command.id, each) for each in both)
        for each in found.values():
            if each.state == "sent":
                self._settle(each.command, "failed", RESTARTED, facts)
        self._forget(facts)
        if facts:
            self._record.append(facts)

    def _item(self, asked: Command, known: Remembered | None) -> shapes.Command:
        return {
            "id": asked.id,
            "site": self._site,
            "target": asked.target,
            "kind": asked.kind,
            "args": args_shown(asked.args),
            "reason": asked.reason,
            "reason_code": asked.reason_code,
            "subject": shapes.subject_of(asked.subject),
            "state": "asked" if known is None else known.state,
            "by": shapes.person_of(asked.by),
            "issued_at": asked.issued_at,
            "expires_at": asked.expires_at,
            "result": None if known is None or known.state == "sent" else _result(known),
        }

    async def _go(self, command: Command, *, local: bool) -> None:
        facts = Facts()
        if local:  # the hub records what is asked there; what is asked here is this stream's to tell
            asked = CommandAsked(
                command=command.id, kind=command.kind, target=command.target, by=command.by, reason=command.reason,
                reason_code=command.reason_code,
            )  # fmt: skip
            facts.say("command.asked", command.target, asked)
        self._keep(Remembered(command=command, state="sent", at=self._clock.wall_ms()), facts)
        self._forget(facts)
        await self._record.append(facts)
        await self._journal.on_disk(within_s=ON_DISK_S)
        left_s = (milliseconds(command.expires_at) - self._now_ms(local=local)) / 1000
        if left_s <= 0:
            await self._answer(command, "expired", None)
            return
        result, car = Facts(), self._car(command)
        try:
            await self._acts[command.kind](command, min(WITHIN_S.get(command.kind, ACT_WITHIN_S), left_s), result)
        except CommandRefused as refusal:
            await self._answer(command, "failed", refusal.text, car=car)
        except CommandFailed as failure:
            await self._answer(command, "failed", failure.why, car=car)
        except Exception:  # whoever asked must hear something, and the next command must be carried out
            log.exception("command crashed", command=command.id, kind=command.kind)
            await self._answer(command, "failed", CRASHED, car=car)
        else:
            await self._answer(command, "done", None, result, car=car)

    def _may_be_done(self, command: Command) -> bool:
        """Whether it was asked before this start, of which the disk has not said yet what was done."""
        age_ms = self._now_ms(local=False) - milliseconds(command.issued_at)
        return not self._record.state_known and age_ms > (self._clock.monotonic() - self._began) * 1000

    def _now_ms(self, *, local: bool) -> int:
        """What time it is where the command was asked."""
        hub_ms = None if local else self._clock.hub_ms()
        return self._clock.wall_ms() if hub_ms is None else hub_ms

    async def _answer(
        self, command: Command, state: State, why: Text | None, facts: Facts | None = None, *, car: Car | None = None
    ) -> None:
        facts = Facts() if facts is None else facts
        self._settle(command, state, why, facts, car)
        await self._record.append(facts)

    def _settle(self, command: Command, state: State, why: Text | None, facts: Facts, car: Car | None = None) -> None:
        self.counts[state] += 1
        result = CommandResult(
            command=command.id,
            kind=command.kind,
            target=command.target,
            by=command.by,
            reason=command.reason,
            why=why,
            reason_code=command.reason_code,
            subject=(None if car is None else car.place) or command.subject,
            plate=None if car is None else car.plate,
            picture=None if car is None else car.picture,
            despite=car.plate if state == "done" and car is not None and car.blocked else None,
        )
        facts.say(f"command.{state}", command.target, result)
        self._keep(Remembered(command=command, state=state, at=self._clock.wall_ms(), why=why), facts)

    def _keep(self, remembered: Remembered, facts: Facts) -> None:
        id = remembered.command.id
        self.commands[id] = remembered
        facts.keep("command", id, remembered)
        facts.touch("command", id)

    def _forget(self, facts: Facts) -> None:
        horizon = self._clock.forget_before(REMEMBER_MS)
        while self.commands:
            oldest, remembered = next(iter(self.commands.items()))
            if remembered.at >= horizon and len(self.commands) <= REMEMBER_LIMIT:
                return
            del self.commands[oldest]
            facts.keep("command", oldest, None)

    async def _unlock_door(self, command: Command, within_s: float, facts: Facts) -> None:
        if command.target not in self._doors:
            raise CommandRefused(UNKNOWN_TARGET)
        await self._doors.unlock(command.target, command.id, within_s)

    async def _set_door_mode(self, command: Command, within_s: float, facts: Facts) -> None:
        if command.target not in self._doors:
            raise CommandRefused(UNKNOWN_TARGET)
        mode = msgspec.convert(command.args["mode"], Literal["normal", "unlocked", "locked"])
        for_s = msgspec.convert(command.args.get("for_s"), float | None)
        await self._doors.set_mode(command.target, mode, command.by, within_s, for_s)

    async def _open_barrier(self, command: Command, within_s: float, facts: Facts) -> None:
        if command.target not in self._lanes:
            raise CommandRefused(UNKNOWN_TARGET)
        car, despite = self._lanes.cars.standing(command.target), command.args.get("despite")
        fault = opening_fault(
            car,
            command.subject,
            despite if isinstance(despite, str) else None,
            own_words=in_own_words(command.reason, command.reason_code),
        )
        if fault is not None:
            raise CommandRefused(Text(fault.zh, fault.en))
        await self._lanes.open(command.target, command.id, within_s)

    async def _close_barrier(self, command: Command, within_s: float, facts: Facts) -> None:
        if command.target not in self._lanes:
            raise CommandRefused(UNKNOWN_TARGET)
        await self._lanes.close(command.target, command.id, within_s)

    async def _acknowledge(self, command: Command, within_s: float, facts: Facts) -> None:
        self._alarms.acknowledge(self._alarm(command), command.by, _note(command), command.id, facts)

    async def _shelve(self, command: Command, within_s: float, facts: Facts) -> None:
        for_s = command.args["for_s"]
        assert isinstance(for_s, int | float)
        if not self._alarms.shelve(
            self._alarm(command), command.by, _note(command), for_s=for_s, command=command.id, facts=facts
        ):
            raise CommandRefused(ALARM_OVER)

    async def _unshelve(self, command: Command, within_s: float, facts: Facts) -> None:
        self._alarms.unshelve(self._alarm(command), command.by, facts)

    async def _write_point(self, command: Command, within_s: float, facts: Facts) -> None:
        if command.target not in self._writable:
            raise CommandRefused(NOT_WRITABLE)
        device, _, point = command.target.partition(".")
        await self._buses.write(device, point, command.args["value"], within_s=within_s)

    async def _set_key(self, command: Command, within_s: float, facts: Facts) -> None:
        if not self._buses.keeps_keys(command.target):
            raise CommandRefused(UNKNOWN_TARGET)
        await self._buses.set_key(command.target, within_s=within_s)

    async def _note_hit(self, command: Command, within_s: float, facts: Facts) -> None:
        if not self.has_target(command.kind, command.target):
            raise CommandRefused(UNKNOWN_TARGET)
        assert command.subject is not None
        fault = await hit_fault(self._journal, command.target, command.subject)
        if fault is not None:
            raise CommandRefused(fault)
        noted = HitAcknowledged(by=command.by, subject=command.subject, command=command.id)
        facts.say("hit.acknowledged", command.target, noted)

    def _car(self, command: Command) -> Car | None:
        """The car that a command is about; one that was meant for another is about none here."""
        if command.kind != "barrier.open" or command.target not in self._lanes:
            return None
        car = self._lanes.cars.standing(command.target)
        strange = car is not None and command.subject is not None and car.place not in {None, command.subject}
        return None if strange else car

    def _alarm(self, command: Command) -> Alarm:
        alarm = self._alarms.alarms.get(command.target)
        if alarm is None:
            self._on_unknown_alarm()
            raise CommandRefused(ALARM_UNKNOWN)
        if alarm.state == "closed":
            raise CommandRefused(ALARM_OVER)
        return alarm


def _result(known: Remembered) -> shapes.Result:
    why = None if known.why is None else shapes.text_of(known.why)
    return {"at": instant(known.at), "why": why}


def _note(command: Command) -> str:
    note = command.args.get("note")
    return note if isinstance(note, str) else ""
