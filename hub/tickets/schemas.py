"""What requests about tickets may say. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasChoices, Field

from contract.facts.alarms import Severity
from hub.shapes import TextShape
from web import shapes
from web.asked import Body

Line = Annotated[str, Field(min_length=1, max_length=200)]


class NewTicket(Body):
    """A fault that a person reports. `title`: in one language as it was typed, or in both."""

    site: Annotated[str, Field(min_length=1, max_length=64)]
    title: Line | TextShape
    asset: Annotated[str, Field(max_length=128)] = ""
    place: Annotated[str, Field(max_length=200)] = ""
    severity: Severity = "minor"
    text: Annotated[str, Field(max_length=4000)] = ""

    def title_text(self) -> shapes.Text:
        """The title in both languages; what was typed in one stands for both."""
        return {"zh": self.title, "en": self.title} if isinstance(self.title, str) else self.title.text()


class StepBody(Body):
    """What a person says with a step; `text` may be called `note`, as with alarms.

    `found`, `done`: what finished work says of the cause and the cure. `assignee`: the account that shall take it, if
    not oneself (managers only). `holder`: the account that is known to have it; who does not say so passes over nobody.
    """

    text: Annotated[str, Field(max_length=2000, validation_alias=AliasChoices("text", "note"))] = ""
    found: Annotated[str, Field(max_length=1000)] = ""
    done: Annotated[str, Field(max_length=1000)] = ""
    assignee: Annotated[str, Field(max_length=64)] | None = None
    holder: Annotated[str, Field(max_length=64)] = ""

    def said(self) -> str:
        """All of it as the ticket keeps it, a line each."""
        return "\n".join(part for each in (self.found, self.done, self.text) if (part := each.strip()))


TicketId = Annotated[str, Field(min_length=1, max_length=64)]

MOST_AT_ONCE = 100
"""Tickets that one request may move: each is read, moved and told by itself."""


class StepOfEach(Body):
    """One step of several tickets. Whoever has one is not passed over by it: that is asked of each alone."""

    ids: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=64)]], Field(min_length=1, max_length=MOST_AT_ONCE)
    ]
    step: Literal["take", "comment", "finish"]
    text: Annotated[str, Field(max_length=2000)] = ""
    found: Annotated[str, Field(max_length=1000)] = ""
    done: Annotated[str, Field(max_length=1000)] = ""

    def each(self) -> StepBody:
        """What is said with the step of one of them."""
        return StepBody(text=self.text, found=self.found, done=self.done)
