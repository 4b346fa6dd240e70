"""Doors, lanes and meters: whether what they name exists, fits, and belongs to them alone."""

from __future__ import annotations

from collections.abc import Callable

from config.document import Place
from config.draft import Draft
from config.mistakes import one_of
from config.site import CameraBarrier, Door, Input, Lane, Meter, ModbusBarrier, Output, RelayBarrier
from contract.texts import Text
from drivers.profiles.profile import Profile
from drivers.protocols import PROTOCOLS


def check_places(draft: Draft) -> None:
    """Adds every mistake of doors, lanes and meters."""
    owners = _Owners(draft)
    for id_, door in draft.doors.items():
        _door(draft, owners, ("doors", id_), door)
    for id_, lane in draft.lanes.items():
        _lane(draft, owners, ("lanes", id_), lane)
    for id_, meter in draft.meters.items():
        _meter(draft, ("meters", id_), meter)


class _Owners:
    """Who has what: a reader, a camera, an output or a contact belongs to one place."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._owners: dict[str, Place] = {}

    def claim(self, place: Place, thing: str) -> None:
        owner = self._owners.setdefault(thing, place)
        if owner == place:
            return
        where, line = ".".join(str(step) for step in owner), self._draft.document.line(owner)
        self._draft.wrong(place, Text(f"{where}（第 {line} 行）已占用", f"{where} (line {line}) already has it"), thing)


def _door(draft: Draft, owners: _Owners, place: Place, door: Door) -> None:
    for word, reader in (("reader_in", door.reader_in), ("reader_out", door.reader_out)):
        if reader is not None and _fitting(draft, (*place, word), reader, _reads_cards, Text("读头", "a reader")):
            owners.claim((*place, word), reader)
    _output(draft, owners, (*place, "lock"), door.lock, seconds=door.release_s, word=(*place, "release_s"))
    for word, contact in (("contact", door.contact), ("exit_button", door.exit_button)):
        _input(draft, owners, (*place, word), contact)
    _zones(draft, place, door.zones)


def _lane(draft: Draft, owners: _Owners, place: Place, lane: Lane) -> None:
    if _fitting(draft, (*place, "camera"), lane.camera, _sees_plates, Text("车牌相机", "a plate camera")):
        owners.claim((*place, "camera"), lane.camera)
    _camera_acts(draft, place, lane)
    for word, contact in (("loop_before", lane.loop_before), ("loop_under", lane.loop_under)):
        _input(draft, owners, (*place, word), contact)
    barrier, at = lane.barrier, (*place, "barrier")
    if isinstance(barrier, ModbusBarrier):
        _own_controller(draft, owners, at, barrier)
    elif isinstance(barrier, RelayBarrier):
        for word, output in (("open", barrier.open), ("close", barrier.close)):
            if output is not None:
                _output(draft, owners, (*at, word), output, seconds=barrier.pulse_s, word=(*at, "pulse_s"))
        for word, contact in (("up", barrier.up), ("down", barrier.down)):
            _input(draft, owners, (*at, word), contact)
    _zones(draft, place, lane.zones)


def _own_controller(draft: Draft, owners: _Owners, place: Place, barrier: ModbusBarrier) -> None:
    if not draft.device_known((*place, "device"), barrier.device):
        return
    owners.claim((*place, "device"), barrier.device)
    profile = draft.profile_of(barrier.device)
    if profile is None:
        return
    for word, command in (("open", barrier.open), ("close", barrier.close)):
        what = Text(f"{barrier.device} 的一个指令", f"a command of {barrier.device}")
        draft.known((*place, word), command, profile.commands, what)
    status = draft.point((*place, "status"), barrier.device, barrier.status)
    if status is None:
        return
    if status.type != "label":
        draft.wrong(
            (*place, "status"),
            Text("应为状态点位（有名称的取值）", f"expected a point with labels, this is a {status.type}"),
            barrier.status,
        )
        return
    for word, labels in (("up", barrier.up), ("down", barrier.down)):
        for index, label in enumerate(labels):
            # The model's own defaults stand in no line: then the fault is the status point's.
            at = (*place, word, index)
            draft.known(at, label, status.labels, Text(f"{barrier.status} 的一个取值", f"a label of {barrier.status}"))


def _meter(draft: Draft, place: Place, meter: Meter) -> None:
    device, _, point = meter.point.partition(".")
    at = (*place, "point")
    if not draft.device_known(at, device):
        return
    found = draft.point(at, device, point, only="number")
    if found is not None and found.type != "number":
        draft.wrong(at, Text("应为数值点位", f"expected a number, {point} is a {found.type}"), meter.point)
    part = draft.devices.get(device)
    if part is not None and not part.meter_no:
        draft.wrong(
            ("devices", device, "meter_no"),
            Text(f"缺少此项：能耗表计 {place[-1]} 需要表号", f"is missing: the meter {place[-1]} needs its number"),
            "",
        )


def _camera_acts(draft: Draft, place: Place, lane: Lane) -> None:
    """Whether the camera can lift the barrier and tell drivers something, where the lane wants that of it."""
    profile = draft.profile_of(lane.camera)
    if profile is None or not _sees_plates(profile) or "open" in profile.commands:
        return
    if isinstance(lane.barrier, CameraBarrier):
        words = Text(f"{profile.id} 不能开闸：请用控制器或继电器", f"{profile.id} opens no barrier: name what does")
        draft.wrong((*place, "barrier"), words, "camera")
    if lane.display is not None:
        draft.wrong((*place, "display"), Text(f"{profile.id} 不能显示或播报", f"{profile.id} shows and says nothing"))


def _reads_cards(profile: Profile) -> bool:
    return PROTOCOLS[profile.protocol].wires.cards is not None


def _sees_plates(profile: Profile) -> bool:
    return profile.dialect is not None


def _fitting(draft: Draft, place: Place, device: str, fits: Callable[[Profile], bool], what: Text) -> bool:
    fitting = [id_ for id_ in draft.devices if (profile := draft.profile_of(id_)) is not None and fits(profile)]
    if device not in draft.ids["devices"]:
        draft.wrong(place, one_of(what, fitting, device), device)
        return False
    profile = draft.profile_of(device)
    if profile is None or fits(profile):
        return True
    draft.wrong(place, one_of(what, fitting, device), f"{device} ({profile.id})")
    return False


def _output(draft: Draft, owners: _Owners, place: Place, output: Output, *, seconds: float, word: Place) -> None:
    if not draft.device_known((*place, "device"), output.device):
        return
    profile = draft.profile_of(output.device)
    if profile is None:
        return
    at = (*place, "output")
    what = Text(f"{output.device} 的一个输出", f"an output of {output.device}")
    if not draft.known(at, output.output, profile.outputs, what):
        return
    owners.claim(at, f"{output.device}.{output.output}")
    pulse = profile.outputs[output.output].pulse_s
    if pulse is None:
        words = Text("该输出不能自行计时，不能用作脉冲", "this output times no pulse by itself; one is needed here")
        draft.wrong(at, words)
    elif seconds > pulse[1]:
        longest = f"{pulse[1]:g}"
        draft.wrong(
            word, Text(f"该输出最长保持 {longest} 秒", f"the board holds this output for {longest} s at the most")
        )
    elif seconds < pulse[0]:
        least = f"{pulse[0]:g}"
        draft.wrong(word, Text(f"该输出最短保持 {least} 秒", f"the board holds this output for {least} s at the least"))


def _input(draft: Draft, owners: _Owners, place: Place, contact: Input | None) -> None:
    if contact is None or not draft.device_known((*place, "device"), contact.device):
        return
    if draft.flag_point((*place, "point"), contact.device, contact.point):
        owners.claim((*place, "point"), f"{contact.device}.{contact.point}")


def _zones(draft: Draft, place: Place, zones: list[str]) -> None:
    for index, zone in enumerate(zones):
        draft.known((*place, "zones", index), zone, draft.ids["zones"], Text("一个区域", "a zone"))
