"""The control API of the simulators, on loopback: what a person could do at the site, and what could break."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Protocol
from urllib.parse import urlsplit

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from contract.hosts import this_machine
from simulators.ends import NobodyListens
from simulators.faults import FAULTS
from simulators.lines.text import CannotRead
from simulators.site import SimSite, Unfit, Unknown
from web.reference import reference_router

_STATES = {"on": True, "off": False, "open": True, "closed": False, "active": True, "inactive": False}


class Body(BaseModel):
    """What a request says: an unknown word is an error."""

    model_config = ConfigDict(extra="forbid")


class Present(Body):
    """A card at a reader. `walk`: whoever showed it goes through once the lock lets go."""

    card: Annotated[str, Field(min_length=1, max_length=200)]
    walk: bool = False


class Typed(Body):
    """Keys of a reader's pad: digits, # (enter) and * (clear)."""

    keys: Annotated[str, Field(min_length=1, max_length=32)]


class DriveUp(Body):
    """A car at a lane. `confidence`: 0–100, how well the plate can be read."""

    plate: Annotated[str, Field(max_length=40)]
    confidence: Annotated[int, Field(ge=0, le=100)] | None = None


class Replay(Body):
    """A camera's last read once more. `ago_s`: stamped so much earlier; 0: the very same bytes."""

    ago_s: Annotated[float, Field(ge=0, le=10 * 365 * 86_400)] = 0.0


class PointValue(Body):
    """A value that overrides the physics; null gives the point back to them."""

    value: StrictBool | StrictInt | StrictFloat | StrictStr | None


class InputState(Body):
    """A contact's state: true and false, or on, off, open, closed; null lets go."""

    state: StrictBool | StrictInt | StrictStr | None


class NewFault(Body):
    """A fault, for so many seconds or until it is taken away."""

    device: str
    fault: str
    for_s: Annotated[float, Field(gt=0, le=86_400)] | None = None


class RhythmOn(Body):
    """Whether people come and go by themselves."""

    on: bool


class Stage(Protocol):
    """What the API acts on: the site, and the wires that its acts go out on."""

    site: SimSite

    async def present(self, reader: str, card: str, *, walk: bool) -> dict[str, Any]:
        """A card is shown at a reader."""

    async def type_keys(self, reader: str, keys: str) -> dict[str, Any]:
        """Somebody types at a reader's keypad."""

    async def drive_up(self, lane: str, plate: str, confidence: int | None) -> dict[str, Any]:
        """A car comes to a lane; returns when its plate was pushed."""

    async def replay(self, lane: str, ago_s: float) -> dict[str, Any]:
        """The camera of a lane sends its last read once more, as somebody would who recorded it."""

    async def settle(self) -> None:
        """Lets what was just changed go out on the wires."""

    def set_rhythm(self, on: bool) -> None:
        """People come and go, or not."""


class NoOtherPages:
    """Refuses what a web page of another place makes a browser of this machine send: nobody signs in here.

    A page may also call itself by a name that leads to this machine, hence the look at the host.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _of_another_page(Headers(scope=scope)):
            words = "the simulators are for this machine's own programs and pages"
            answer = JSONResponse({"error": {"code": "foreign_origin", "message": words, "fields": {}}}, 403)
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _of_another_page(headers: Headers) -> bool:
    host = headers.get("host", "")
    origin = headers.get("origin")
    if not this_machine(urlsplit(f"//{host}").hostname or ""):
        return True
    if origin is not None:
        return urlsplit(origin).netloc.lower() != host.lower()
    return headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}


def build_api(stage: Stage) -> FastAPI:
    """The application. Errors are `{error: {code, message, fields}}`."""
    app = FastAPI(title="Gatehouse simulators", docs_url=None, redoc_url=None, middleware=[Middleware(NoOtherPages)])
    app.include_router(reference_router("/openapi.json"))
    _errors(app)
    _people(app, stage)
    _things(app, stage)
    _faults(app, stage)
    return app


def _people(app: FastAPI, stage: Stage) -> None:
    @app.post("/sim/readers/{reader}/present")
    async def present(reader: str, body: Present) -> dict[str, Any]:
        return await stage.present(reader, body.card, walk=body.walk)

    @app.post("/sim/readers/{reader}/type")
    async def type_keys(reader: str, body: Typed) -> dict[str, Any]:
        return await stage.type_keys(reader, body.keys)

    @app.post("/sim/lanes/{lane}/drive-up")
    async def drive_up(lane: str, body: DriveUp) -> dict[str, Any]:
        return await stage.drive_up(lane, body.plate, body.confidence)

    @app.post("/sim/lanes/{lane}/replay")
    async def replay(lane: str, body: Replay) -> dict[str, Any]:
        return await stage.replay(lane, body.ago_s)

    @app.post("/sim/rhythm")
    async def rhythm(body: RhythmOn) -> dict[str, Any]:
        stage.set_rhythm(body.on)
        return {"on": body.on}


def _things(app: FastAPI, stage: Stage) -> None:
    @app.post("/sim/points/{device}/{point}")
    async def set_point(device: str, point: str, body: PointValue) -> dict[str, Any]:
        stage.site.set_point(device, point, body.value)
        await stage.settle()
        return {"device": device, "point": point, "value": stage.site.device(device).value(point)}

    @app.post("/sim/inputs/{device}/{name}")
    async def set_input(device: str, name: str, body: InputState) -> dict[str, Any]:
        stage.site.set_input(device, name, _state(body.state))
        await stage.settle()
        return {"device": device, "input": name, "state": stage.site.device(device).value(name)}

    @app.get("/sim/devices")
    async def devices() -> dict[str, Any]:
        return stage.site.seen()


def _faults(app: FastAPI, stage: Stage) -> None:
    @app.post("/sim/faults")
    async def put_fault(body: NewFault) -> dict[str, Any]:
        stage.site.put_fault(body.device, body.fault, body.for_s)
        await stage.settle()
        return {"device": body.device, "fault": body.fault, "for_s": body.for_s}

    @app.delete("/sim/faults")
    async def clear_faults(
        device: Annotated[str | None, Query()] = None, fault: Annotated[str | None, Query()] = None
    ) -> dict[str, Any]:
        cleared = stage.site.faults.clear(device, fault)
        await stage.settle()
        return {"cleared": cleared}

    @app.get("/sim/faults")
    async def faults() -> dict[str, Any]:
        now = stage.site.now
        return {
            "faults": [{"fault": name, "text": {"zh": text.zh, "en": text.en}} for name, text in FAULTS.items()],
            "devices": {device: list(names) for device, names in stage.site.supported().items()},
            "active": [
                {
                    "device": one.device,
                    "fault": one.fault,
                    "left_s": None if one.until is None else round(max(0.0, one.until - now), 1),
                }
                for one in stage.site.faults.at_work()
            ],
        }


def _state(said: bool | int | str | None) -> bool | None:
    if said is None or isinstance(said, bool):
        return said
    if isinstance(said, str) and said.lower() in _STATES:
        return _STATES[said.lower()]
    if said in (0, 1):
        return bool(said)
    raise Unfit(f"{said!r:.40} is no state of a contact: true, false or null are expected")


def _errors(app: FastAPI) -> None:
    def answer(status: int, code: str, message: str, fields: dict[str, str] | None = None) -> JSONResponse:
        return JSONResponse({"error": {"code": code, "message": message, "fields": fields or {}}}, status)

    @app.exception_handler(Unknown)
    async def unknown(_request: Request, wrong: Unknown) -> JSONResponse:
        return answer(404, "unknown", str(wrong.args[0]))

    @app.exception_handler(Unfit)
    async def unfit(_request: Request, wrong: Unfit) -> JSONResponse:
        return answer(422, "unfit", str(wrong))

    @app.exception_handler(CannotRead)
    async def cannot_read(_request: Request, wrong: CannotRead) -> JSONResponse:
        return answer(422, "unreadable", str(wrong))

    @app.exception_handler(NobodyListens)
    async def nobody(_request: Request, wrong: NobodyListens) -> JSONResponse:
        return answer(409, "nobody_listens", str(wrong))

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, wrong: RequestValidationError) -> JSONResponse:
        fields = {".".join(map(str, one["loc"][1:])) or "body": str(one["msg"]) for one in wrong.errors()}
        return answer(422, "invalid", "the request does not say what this route needs", fields)

    @app.exception_handler(asyncio.TimeoutError)
    async def late(_request: Request, _wrong: TimeoutError) -> JSONResponse:
        return answer(504, "late", "the camera did not push in time")
