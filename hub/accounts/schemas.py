"""What requests about accounts may say, and what answers do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field, field_validator

from contract.desired import Role
from contract.texts import Text
from contract.topics import valid_id
from hub.accounts.models import AccountLockRow, AccountRow
from web.asked import Body
from web.language import Language
from web.moments import At
from web.session.password_rule import LONGEST, SHORTEST
from web.session.routes import Code
from web.session.sessions import normal_username
from web.users import ALL_SITES, SEALED, User
from web.validation import FieldFault

_USERNAME = Text("2 到 64 个字符，不含空格", "must be 2 to 64 characters without spaces")
_RESERVED = Text("此用户名由网关保留", "is reserved for the gateways")
_SITES = Text('应为项目编号的列表，或 ["*"]', 'must be a list of site ids, or ["*"]')

Password = Annotated[str, Field(min_length=SHORTEST, max_length=LONGEST)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class AccountBody(Body):
    """What an account is. `sites`: ids, or `["*"]` for all."""

    name: Name
    role: Role
    language: Language = "zh"
    sites: Annotated[list[str], Field(min_length=1, max_length=1000)]
    active: bool = True

    @field_validator("sites")
    @classmethod
    def _known_form(cls, sites: list[str]) -> list[str]:
        if ALL_SITES in sites:
            return [ALL_SITES]
        if not all(valid_id(site) for site in sites):
            raise FieldFault(_SITES)
        return sorted(set(sites))


class NewAccount(AccountBody):
    """An account to open."""

    username: str
    password: Password

    @field_validator("username")
    @classmethod
    def _readable(cls, username: str) -> str:
        username = normal_username(username)
        if not 2 <= len(username) <= 64 or not username.isprintable() or " " in username:
            raise FieldFault(_USERNAME)
        if username == SEALED:
            raise FieldFault(_RESERVED)
        return username


class AccountChange(AccountBody):
    """An account as it shall be; `password` only to set a new one."""

    password: Password | None = None


class OwnPassword(Body):
    """A new password for oneself."""

    current: Annotated[str, Field(min_length=1, max_length=1000)]
    password: Password
    code: Code = ""


class OwnSettings(Body):
    """What everybody may change of their own account."""

    language: Language


class LockShape(BaseModel):
    """A lock that somebody set at a site's gateway. `by`: their name."""

    site: str
    by: str
    reason: str
    at: At


class AccountShape(User):
    """An account in an answer. `signed_in_at`: the last time, here or at a gateway; None before the first."""

    active: bool
    created_at: At
    changed_at: At
    version: int
    signed_in_at: At | None
    second_factor: bool
    locks: list[LockShape]


class FirstCode(Body):
    """The first code of an app that was given the secret."""

    code: Annotated[str, Field(min_length=1, max_length=40)]


class SecondFactorShape(BaseModel):
    """How one's second factor stands. `recovery_left`: recovery codes that were not used."""

    on: bool
    since: At | None
    recovery_left: int


class OfferShape(BaseModel):
    """What to put into an authenticator app: the secret to type, or the address as a link or QR code."""

    secret: str
    address: str


class RecoveryCodes(BaseModel):
    """Codes that stand in for the app, each once. Shown this one time."""

    codes: list[str]


def user_of(row: AccountRow) -> User:
    """The account as the person it lets in."""
    return User.model_validate(row, from_attributes=True)


def shape_of(row: AccountRow, *, second_factor: bool = False, locks: Sequence[AccountLockRow] = ()) -> AccountShape:
    """The account as answers show it."""
    names = (*User.model_fields, "active", "created_at", "changed_at", "version")
    fields = {name: getattr(row, name) for name in names}
    shown = [LockShape(site=lock.site, by=lock.by["name"], reason=lock.reason, at=lock.at) for lock in locks]
    return AccountShape.model_validate(
        fields | {"signed_in_at": row.signed_in_at, "second_factor": second_factor, "locks": shown}
    )
