"""What requests about the company and its sites may say, and what answers do that the hub alone gives."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from contract.facts.alarms import Severity
from contract.instants import Instant
from hub.shapes import TextShape
from web import shapes
from web.asked import Body


class PostBody(Body):
    """A post as it shall be."""

    name: TextShape
    places: Annotated[list[str], Field(max_length=200)] = Field(default_factory=list)


class Overview(TypedDict):
    """What asks for attention at a site; null for what nobody knows, since its gateway never described it.

    `alarms`: those whose cause has not cleared, by severity. `denied`: entries refused since `denied_since`.
    """

    site: str
    alarms: dict[Severity, int] | None
    tickets: int
    doors_open: int | None
    denied: int | None
    denied_since: Instant


class Company(TypedDict):
    """The company."""

    id: str
    name: shapes.Text
    version: int
