"""How a lane's barrier is driven and seen: by its own controller, by relays and end contacts, or by the camera."""

from __future__ import annotations

from config.site import AnyBarrier, CameraBarrier, Input, ModbusBarrier, RelayBarrier
from drivers.bus import CommandFailed
from gateway.engine.desk.buses import Buses
from gateway.engine.desk.layout import contact_point
from gateway.engine.desk.points import Points
from rules.passage.barriers import Goal, Position, position_of


class BarrierWire:
    """One barrier's wire. `points`: what tells its position; none where nobody can see it."""

    def __init__(self, barrier: AnyBarrier, camera: str, buses: Buses) -> None:
        self._barrier = barrier
        self._camera = camera
        self._buses = buses

    @property
    def points(self) -> list[str]:
        """Every `device.point` that says where the barrier is."""
        match self._barrier:
            case ModbusBarrier(device=device, status=status):
                return [f"{device}.{status}"]
            case RelayBarrier(up=up, down=down):
                return [contact_point(end) for end in (up, down) if end is not None]
            case _:
                return []

    @property
    def device(self) -> str:
        """The device that moves it."""
        match self._barrier:
            case ModbusBarrier(device=device):
                return device
            case RelayBarrier(open=output):
                return output.device
            case CameraBarrier():
                return self._camera

    def answers(self, points: Points) -> bool:
        """Whether what moves it answered lately, and with more than errors."""
        return self._buses.online(self.device) and not points.gives_nothing(self.device)

    def check(self, goal: Goal) -> None:
        """`CommandFailed` if this barrier cannot be told to go there at all."""
        match self._barrier, goal:
            case ((CameraBarrier() | RelayBarrier(close=None)), "down"):
                raise CommandFailed("This barrier comes down by itself only", "此道闸只能自动关闸")
            case _:
                pass

    def position(self, points: Points) -> Position:
        """Where the barrier is; "unknown" if its points cannot be trusted."""
        match self._barrier:
            case ModbusBarrier(device=device, status=status, up=up, down=down):
                latest = points.value(f"{device}.{status}")
                if latest.quality != "good" or not isinstance(latest.value, str):
                    return "unknown"
                if latest.value in up:
                    return "up"
                if latest.value in down:
                    return "down"
                return "unknown" if latest.value == "unknown" else "moving"
            case RelayBarrier(up=up_end, down=down_end):
                return position_of(_contact(up_end, points), _contact(down_end, points))
            case _:
                return "unknown"

    async def drive(self, goal: Goal, within_s: float) -> None:
        """Tells it where to go; `CommandFailed` if it cannot or did not take the command."""
        self.check(goal)
        match self._barrier:
            case ModbusBarrier(device=device, open=up, close=down):
                await self._buses.write(device, up if goal == "up" else down, True, within_s=within_s)
            case RelayBarrier(open=up, close=down, pulse_s=pulse_s):
                output = up if goal == "up" else down
                assert output is not None
                await self._buses.pulse(output.device, output.output, pulse_s, within_s=within_s)
            case CameraBarrier():
                # Fetched by the camera with the next answer that it heeds.
                await self._buses.write(self._camera, "open", True, within_s=within_s)


def _contact(end: Input | None, points: Points) -> bool | None:
    if end is None:
        return None
    latest = points.value(contact_point(end))
    return None if latest.quality != "good" or latest.value is None else latest.value == end.active
