"""What drivers see and hear at a lane after a decision. Pure."""

from __future__ import annotations

from config.site import LaneDisplay
from drivers.camera import board
from drivers.camera.zhenshi import Show
from rules.access.plates import LaneDecision

NO_PLATE = "无牌车"


def shown(display: LaneDisplay | None, decision: LaneDecision) -> Show | None:
    """What the answer to a read shows and says; None where nothing does, and for what is no arrival."""
    if display is None or decision.outcome == "ignored":
        return None
    words = display.granted if decision.granted else display.denied
    frames: list[bytes] = []
    if display.shows == "board":
        frames += [board.line(0, decision.plate or NO_PLATE), board.line(1, words)]
    if display.speaks == "board":
        frames.append(board.voice(words))
    return Show(display.channel, tuple(frames), words if display.speaks == "camera" else "")
