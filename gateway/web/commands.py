"""`/api/commands`: commands asked at this very gateway, on the same road as the hub's."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Depends
from typing_extensions import TypedDict

from contract.commands import Command, CommandKind, Subject
from contract.instants import instant
from contract.texts import Text
from gateway.web.served import Gateway, Served
from rules.commands import may_ask
from web import shapes
from web.arguments import Arg, NewCommand, asked_subject, check_command, command_reason
from web.errors import Forbidden, Invalid, NotFound, TooMany
from web.once import OnceRoute
from web.paging import NOT_YOURS
from web.session.press import Press, Pressed
from web.session.sessions import Able, SignedInUser
from web.users import User

router = APIRouter(prefix="/api", tags=["commands"], route_class=OnceRoute)

_NO_TARGET = Text("该项目没有这个对象", "this site has no such target")
ROLE = Text("您的角色不能执行此操作", "Your role may not ask for this")
_BUSY = Text("网关正忙，请稍后再试", "The gateway is busy; try again in a moment")
_UNREADABLE = Text("当前读不到可信的读数", "No value that can be trusted is readable now")


class MeterRead(TypedDict):
    """A register whose value is being recorded."""

    meter: str
    state: Literal["done"]


@router.post("/commands", status_code=202)
async def new_command(body: NewCommand, gateway: Gateway, user: SignedInUser, press: Pressed) -> shapes.Command:
    """Ask for something here; the answer is that it was asked, the result comes with the live stream."""
    if body.site != gateway.site:
        raise Forbidden(NOT_YOURS, "foreign_site")
    return await ask(
        gateway, user, kind=body.kind, target=body.target, reason=body.reason, reason_code=body.reason_code,
        subject=asked_subject(body), args=body.args, ttl_s=body.ttl_s, press=press,
    )  # fmt: skip


@router.get("/commands/{command}")
async def command(command: str, gateway: Gateway) -> shapes.Command:
    """What became of a command."""
    found = gateway.engine.commands.item(command)
    if found is None:
        raise NotFound
    return found


@router.post("/meters/{meter}/read", status_code=202, dependencies=[Depends(Able("meters.record"))])
async def read_meter(meter: str, gateway: Gateway) -> MeterRead:
    """Record the register's value now, as a `meter.read` event."""
    try:
        recorded = await gateway.engine.meters.read_now(meter)
    except KeyError:
        raise NotFound from None
    if not recorded:
        raise Invalid({"meter": _UNREADABLE})
    return {"meter": meter, "state": "done"}


async def ask(
    gateway: Served,
    user: User,
    *,
    kind: CommandKind,
    target: str,
    reason: str,
    args: dict[str, Arg],
    ttl_s: int,
    press: Press,
    reason_code: str | None = None,
    subject: Subject | None = None,
) -> shapes.Command:
    """Sets a command on its way; answers it as it stands then. `Forbidden`, `NotFound`, `Invalid`, `TooMany`.

    A press that this gateway took before it was restarted is not done again: its command has the same id.
    """
    if not may_ask(user.role, kind):
        raise Forbidden(ROLE, "role")
    words = command_reason(kind, reason, reason_code)
    check_command(kind, args, subject)
    commands = gateway.engine.commands
    if not commands.has_target(kind, target):
        raise NotFound(_NO_TARGET, "unknown_target")
    now = gateway.clock.wall_ms()
    command = Command(
        id=press.id(user.id, kind, target),
        kind=kind,
        target=target,
        by=user.person(),
        reason=words,
        issued_at=instant(now),
        expires_at=instant(now + ttl_s * 1000 - round(press.age.total_seconds() * 1000)),
        args=args,
        reason_code=reason_code,
        subject=subject,
    )
    if not gateway.engine.errands.start(commands.carry_out(command, local=True)):
        raise TooMany(2, _BUSY)
    return commands.asked_item(command)
