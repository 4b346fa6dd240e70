"""A form that was opened before another's change must not undo it: versions, `ETag`, `If-Match`.

Whatever people edit has a `version`, another one after each change. Reading it tells the version (`ETag`, and `version`
in lists); whoever changes or removes it says which version that is about (`If-Match`). 428 without one; 412 and the
record as it stands now, if somebody else was faster.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Header
from pydantic import BaseModel
from starlette.responses import Response

from contract.texts import Text
from web.errors import Invalid, Refusal

_MISSING = Text(
    "缺少 If-Match：请先读取要修改的内容，并带上它的 ETag",
    "If-Match is missing: read what you change first, and send its ETag",
)
_CHANGED = Text(
    "在您打开之后，此内容已被他人修改，请核对后再保存",
    "Somebody else has changed this since you opened it: compare before you save",
)
_GONE = Text("在您打开之后，此内容已被他人删除", "Somebody else has removed this since you opened it")
_FORM = Text('应为带引号的 ETag，例如 "42"，或 *', 'must be an ETag in quotes, for example "42", or *')

# A proxy that compresses an answer may weaken its ETag; the version in it is the same.
_TAG = re.compile(r'(?:W/)?"(\d{1,19})"')
_TAGS = re.compile(rf"{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*")

Header_ = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=500,
        description="The `ETag` of what is changed, as it was read; `*`: whatever stands there now.",
    ),
]


class NoVersion(Refusal):
    """428: an edit that does not say which version of the record it is about."""

    def __init__(self) -> None:
        super().__init__(428, "version_required", _MISSING)


class Stale(Refusal):
    """412: the record is not what it was when the form was opened. `current`: as it stands now, None if it is gone."""

    def __init__(self, current: BaseModel | Mapping[str, Any] | None) -> None:
        shown = current.model_dump(mode="json") if isinstance(current, BaseModel) else current
        super().__init__(412, "changed" if current else "removed", _CHANGED if current else _GONE, current=shown)


class Edition:
    """Which version a request is about, and which one its answer tells."""

    def __init__(self, response: Response, wanted: str | None = None) -> None:
        self._response = response
        self._wanted = (wanted or "").strip()
        if self._wanted not in {"", "*"} and not _TAGS.fullmatch(self._wanted):
            raise Invalid({"If-Match": _FORM})

    def tell(self, version: int) -> None:
        """The answer shows this version."""
        self._response.headers["ETag"] = f'"{version}"'

    def expect(self, version: int, current: BaseModel | Mapping[str, Any]) -> None:
        """`NoVersion`, or `Stale` unless the request is about `version`.

        `current`: the record as the person sees it.
        """
        if not self._wanted:
            raise NoVersion
        if self._wanted != "*" and str(version) not in _TAG.findall(self._wanted):
            raise Stale(current)

    def expect_none(self) -> None:
        """`Stale` if the request is about a version of something that is not there (any more)."""
        if self._wanted:
            raise Stale(None)


def _shown(response: Response) -> Edition:
    return Edition(response)


def _edited(response: Response, if_match: Header_ = None) -> Edition:
    return Edition(response, if_match)


Shown = Annotated[Edition, Depends(_shown)]
"""Of a route that reads or makes one record: `shown.tell(row.version)`."""

Edited = Annotated[Edition, Depends(_edited)]
"""Of a route that changes or removes one: `edited.expect(…)` before anything is changed."""
