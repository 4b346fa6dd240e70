"""What requests about accounts may say, and what answers do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from contract.desired import Role
from contract.texts import Text
from contract.topics import valid_id
from hub.accounts.models import AccountRow
from web.asked import Body
from web.language import Language
from web.moments import At
from web.passwords import LONGEST, SHORTEST
from web.session import normal_username
from web.users import ALL_SITES, User
from web.validation import FieldFault

_USERNAME = Text("2 到 64 个字符，不含空格", "must be 2 to 64 characters without spaces")
_SITES = Text('应为项目点编号的列表，或 ["*"]', 'must be a list of site ids, or ["*"]')

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
        return username


class AccountChange(AccountBody):
    """An account as it shall be; `password` only to set a new one."""

    password: Password | None = None


class OwnPassword(Body):
    """A new password for oneself."""

    current: Annotated[str, Field(min_length=1, max_length=1000)]
    password: Password


class OwnSettings(Body):
    """What everybody may change of their own account."""

    language: Language


class AccountShape(User):
    """An account in an answer."""

    active: bool
    created_at: At
    changed_at: At


def user_of(row: AccountRow) -> User:
    """The account as the person it lets in."""
    return User.model_validate(row, from_attributes=True)


def shape_of(row: AccountRow) -> AccountShape:
    """The account as answers show it."""
    return AccountShape.model_validate(row, from_attributes=True)
