"""Shapes that answers of several domains are made of. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from web.asked import Body


class TextShape(Body):
    """A text in both languages."""

    zh: Annotated[str, Field(min_length=1, max_length=500)]
    en: Annotated[str, Field(min_length=1, max_length=500)]


class PersonShape(BaseModel):
    """Somebody who did something, as they were then."""

    id: str
    name: str
    role: str
