"""What answers about the company, its sites, doors and lanes say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from contract.readings import Value
from hub.shapes import TextShape
from web.asked import Body


class About(BaseModel):
    """Which server this is, for whom nobody has signed in yet."""

    server: Literal["hub", "gateway"]
    site: str | None
    version: str
    hub_connected: bool | None
    working_alone_since: str | None
    backlog: int | None


class PostShape(BaseModel):
    """Where a guard stands, and the doors and lanes that they answer for."""

    id: str
    site: str
    name: TextShape
    places: list[str]
    version: int


class PostBody(Body):
    """A post as it shall be."""

    name: TextShape
    places: Annotated[list[str], Field(max_length=200)] = Field(default_factory=list)


class SiteShape(BaseModel):
    """A site in a list. `described`: whether its gateway has said what it consists of."""

    id: str
    name: TextShape
    timezone: str
    described: bool
    posts: list[PostShape]


class OverviewShape(BaseModel):
    """What asks for attention at a site; null for what nobody knows, since its gateway never described it.

    `alarms`: those whose cause has not cleared, by severity. `denied`: entries refused since `denied_since`.
    """

    site: str
    alarms: dict[str, int] | None
    tickets: int
    doors_open: int | None
    denied: int | None
    denied_since: str


class CompanyShape(BaseModel):
    """The company."""

    id: str
    name: TextShape
    version: int


class LayoutShape(BaseModel):
    """What a site consists of (`contract.layout.SiteLayout`)."""

    site: str
    gateway: str
    name: TextShape
    timezone: str
    fingerprint: str
    doors: list[dict[str, Any]] = []
    lanes: list[dict[str, Any]] = []
    devices: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    zones: list[dict[str, Any]] = []
    meters: list[dict[str, Any]] = []


class DoorShape(BaseModel):
    """How a door stands."""

    id: str
    site: str
    lock: str
    contact: str
    mode: str
    at: str | None


class LoopsShape(BaseModel):
    """Whether a vehicle stands before or under the barrier; null: not known."""

    before: bool | None
    under: bool | None


class LaneShape(BaseModel):
    """How a lane stands."""

    id: str
    site: str
    barrier: str
    loops: LoopsShape
    last_plate: Value
    at: str | None
