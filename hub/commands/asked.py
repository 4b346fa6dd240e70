"""A command as a person asks for it, and whether it may be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from contract.commands import CommandKind, Subject
from contract.texts import Text
from hub.commands.targets import ends_modes, exists, has_entry
from rules.commands import may_ask
from rules.reasons import REASONS
from web.arguments import DEFAULT_TTL_S, check_command, command_reason
from web.errors import Conflict, Forbidden, NotFound
from web.users import User

Args = Mapping[str, str | int | float | bool | None]

_NO_TARGET = Text("该项目没有这个对象", "this site has no such target")
_NO_TERM = Text(
    "该网关的软件不会自动结束门的模式，未下发；请先升级网关，或不设时长并由人结束",
    "This gateway's software does not end a door's mode by itself: not sent. Upgrade it, or end the mode by hand",
)
_ROLE = Text("您的角色不能执行此操作", "Your role may not ask for this")


@dataclass(frozen=True, kw_only=True)
class AskedCommand:
    """A command as a person asks for it, not recorded yet.

    `ttl_s`: seconds for which it is worth carrying out, `age`: how many of them were over when it arrived.
    """

    site: str
    target: str
    kind: CommandKind
    reason: str
    args: Args
    ttl_s: int = DEFAULT_TTL_S
    reason_code: str | None = None
    subject: Subject | None = None
    age: timedelta = timedelta(0)

    @property
    def late(self) -> bool:
        """Whether it was worth nothing any more when it arrived."""
        return self.age >= timedelta(seconds=self.ttl_s)


async def check(conn: AsyncConnection, user: User, asked: AskedCommand) -> None:
    """`Forbidden`, `NotFound`, `Conflict` or `Invalid` say what is wrong with it."""
    if not user.may_see(asked.site):
        raise NotFound
    check_words(user, asked)
    if not await exists(conn, asked.site, asked.kind, asked.target):
        raise NotFound(_NO_TARGET, "unknown_target")
    timed = asked.kind == "door.mode" and asked.args.get("for_s") is not None
    if timed and not await ends_modes(conn, asked.site, asked.target):
        raise Conflict(_NO_TERM, "modes_do_not_end")
    if (
        asked.kind == "hit.acknowledge"
        and asked.subject is not None
        and not await has_entry(conn, asked.site, asked.target, asked.subject)
    ):
        raise NotFound(REASONS["hit_unknown"], "unknown_subject")


def check_words(user: User, asked: AskedCommand) -> None:
    """The same, whatever its target is: `Forbidden`, `Invalid`."""
    if not may_ask(user.role, asked.kind):
        raise Forbidden(_ROLE, "role")
    command_reason(asked.kind, asked.reason, asked.reason_code)
    check_command(asked.kind, dict(asked.args), asked.subject)
