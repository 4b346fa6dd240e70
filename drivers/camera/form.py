"""Files of plate cameras. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from contract.texts import Text
from drivers.camera.product import CameraCommand, CameraOutput, StreamFormat
from drivers.profiles.form import Form
from drivers.profiles.head import Fault, profile_of
from drivers.profiles.profile import Point, Profile, PushedSource
from drivers.profiles.words import Head, Seconds

_PROTOCOLS = {"zhenshi": "http-push", "hikvision": "http-push", "dahua-itsapi": "http-push", "dahua": "camera-http"}
"""By what a camera speaks: whether it pushes, or its stream is fetched."""


class CameraFile(Head):
    """A plate camera. It pushes its reads (`http-push`), or the gateway fetches its stream (`camera-http`).

    Silent for `silent_s`, it is lost. `inputs`, `outputs`: contacts and outputs of its own that are worth having.
    `pictures`: its stream brings pictures with the reads.
    """

    protocol: Literal["http-push", "camera-http"]
    dialect: Literal["zhenshi", "hikvision", "dahua-itsapi", "dahua"]
    silent_s: Seconds
    inputs: Annotated[int, Field(ge=0, le=4)] = 0
    outputs: Annotated[int, Field(ge=0, le=4)] = 0
    pictures: bool = False


def faults(file: CameraFile) -> Iterator[Fault]:
    """What the shape allows and that still cannot be meant."""
    if _PROTOCOLS[file.dialect] != file.protocol:
        yield Fault(("protocol",), f"{file.dialect} is {_PROTOCOLS[file.dialect]}")
    for word in ("inputs", "outputs"):
        if getattr(file, word) and file.dialect != "zhenshi":
            yield Fault((word,), f"nothing is known of the {word} of a camera that speaks {file.dialect}")
    if file.pictures and file.dialect != "dahua":
        yield Fault(("pictures",), "only a stream that is fetched can be asked for pictures")


def build(file: CameraFile) -> Profile:
    """The profile of a file without faults."""
    takes_commands = file.dialect == "zhenshi"
    return profile_of(
        file,
        file.protocol,
        dialect=file.dialect,
        silent_s=file.silent_s,
        format=StreamFormat(pictures=file.pictures),
        points={point.id: point for point in map(_input, range(file.inputs))},
        outputs={output.id: output for output in map(_output, range(file.outputs))},
        commands={command.id: command for command in (_OPEN, _CAPTURE)} if takes_commands else {},
    )


def _input(number: int) -> Point:
    id, name = f"input_{number + 1}", Text(f"输入 {number + 1}", f"Input {number + 1}")
    return Point(id=id, name=name, type="flag", source=PushedSource(name=id), group="alarm")


def _output(number: int) -> CameraOutput:
    return CameraOutput(
        id=f"output_{number + 1}", name=Text(f"输出 {number + 1}", f"Output {number + 1}"), number=number
    )


_OPEN = CameraCommand(id="open", name=Text("开闸", "Open the barrier"))
_CAPTURE = CameraCommand(id="capture", name=Text("手动识别", "Read the plate now"))


FORM = Form(CameraFile, faults, build)
