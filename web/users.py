"""Who is asking: the account behind a session, and the sites that it may see."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from contract.commands import Person
from contract.desired import Role
from contract.rights import Viewer, viewer_of
from rules.abilities import Ability, able
from web.language import Language

ALL_SITES = "*"

SEALED = "break-glass"
"""User name of the account that each gateway has of its own, for when its hub is out of reach."""


class User(BaseModel):
    """A signed-in person. `sites`: site ids, or `["*"]` for every site."""

    model_config = ConfigDict(frozen=True)

    id: str
    username: str
    name: str
    role: Role
    language: Language = "zh"
    sites: Annotated[tuple[str, ...], Field(default=())]

    @property
    def sees_all(self) -> bool:
        """Whether every site is theirs."""
        return ALL_SITES in self.sites

    def may_see(self, site: str) -> bool:
        """Whether `site` is theirs."""
        return self.sees_all or site in self.sites

    def may(self, ability: Ability) -> bool:
        """Whether they have that ability (`rules.abilities`), at a server that has it."""
        return able(self.role, ability, sees_all=self.sees_all)

    def viewer(self) -> Viewer:
        """What they may see of events and things, and by which words these speak of them."""
        return viewer_of(self.role, self.id, self.username)

    def person(self) -> Person:
        """The same person as events and commands name them."""
        return Person(id=self.id, name=self.name, role=self.role)
