"""What requests about the company and its sites may say, and what answers do that the hub alone gives."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from contract.facts.alarms import Severity
from contract.instants import Instant
from hub.shapes import TextShape
from web import shapes
from web.asked import Body

NumberKey = Literal["alarms", "critical", "tickets", "doors_open", "denied", "gateways_offline"]


class PostBody(Body):
    """A post as it shall be."""

    name: TextShape
    places: Annotated[list[str], Field(max_length=200)] = Field(default_factory=list)


class Overview(TypedDict):
    """What asks for attention at a site; null for what nobody knows, since its gateway never described it.

    `reported`: whether its gateway ever described it. `alarms`: those whose cause has not cleared, by severity.
    `denied`: entries refused since `denied_since`, the site's midnight. `as_of`: of a site with a gateway offline, when
    that was heard last: no number is newer.
    """

    site: str
    reported: bool
    alarms: dict[Severity, int] | None
    tickets: int
    doors_open: int | None
    denied: int | None
    denied_since: Instant
    gateways_offline: int | None
    as_of: Instant | None


class OverviewNumber(TypedDict):
    """One number of the overview: how it is called, what it counts exactly, and where the rows that it counted are.

    `rows`: the console's page and what it has to show; the site, and since when, come to it.
    """

    key: NumberKey
    name: shapes.Text
    definition: shapes.Text
    rows: str


class Company(TypedDict):
    """The company."""

    id: str
    name: shapes.Text
    version: int
