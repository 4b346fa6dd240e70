"""Shapes that requests to several domains are made of. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from web import shapes
from web.asked import Body


class TextShape(Body):
    """A text in both languages."""

    zh: Annotated[str, Field(min_length=1, max_length=500)]
    en: Annotated[str, Field(min_length=1, max_length=500)]

    def text(self) -> shapes.Text:
        """The same as answers have it."""
        return {"zh": self.zh, "en": self.en}
