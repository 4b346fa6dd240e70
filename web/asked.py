"""Nothing that was asked is passed over: unknown fields of a body and unknown query parameters are refused by name.

A filter that a server does not know would otherwise answer with more than was asked for, and look right.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, model_validator
from starlette.requests import Request

from contract.texts import Text
from web.errors import Invalid
from web.validation import document_fault

UNKNOWN = Text("没有这个参数", "is not a known parameter")


class Body(BaseModel):
    """A request's body: unknown fields are errors, and so is what nobody can keep. Every body derives from it."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _can_be_kept(cls, document: object) -> object:
        fault = document_fault(document)
        if fault is not None:
            raise fault
        return document


async def only_known(request: Request) -> None:
    """Dependency of every route of the API: 422 names each query parameter that its route does not have."""
    if not request.query_params:
        return
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not route.path.startswith("/api/"):
        return
    unknown = request.query_params.keys() - known_parameters(route)
    if unknown:
        raise Invalid(dict.fromkeys(sorted(unknown), UNKNOWN))


def known_parameters(route: APIRoute) -> frozenset[str]:
    """The query parameters of a route and of everything that it depends on, as they are written."""
    return frozenset(_of(route.dependant))


def _of(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for below in dependant.dependencies:
        yield from _of(below)
