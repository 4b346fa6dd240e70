"""What Frigate publishes about its cameras and the cars that they see. Pure.

Source: Frigate's documentation of its MQTT messages, as `drivers/camera/frigate.py` names it.
"""

from __future__ import annotations

import json
from typing import Any

from simulators.camera.zhenshi import Seen


def stats(camera: str, fps: float, at_ms: int) -> bytes:
    """What Frigate says every minute. `at_ms`: what time it is there, Unix ms."""
    service = {"last_updated": at_ms // 1000}
    return json.dumps({"cameras": {camera: {"camera_fps": fps, "process_fps": fps}}, "service": service}).encode()


def messages(camera: str, seen: Seen, *, missing: bool = False) -> list[tuple[str, bytes]]:
    """What Frigate publishes about one car: a first glance, the plate better and better, and the end."""
    id = f"{seen.at_ms / 1000:.6f}-{seen.plate_id:x}"
    at = seen.at_ms / 1000
    score = seen.confidence / 100
    first = {
        "type": "lpr",
        "id": id,
        "name": None,
        "plate": seen.plate[:-1] or seen.plate,
        "score": round(score * 0.6, 3),
    }
    best = first | {"plate": seen.plate, "score": score}
    update: dict[str, Any] = {"camera": camera, "timestamp": at}
    if missing:
        del first["plate"], best["plate"]
    after: dict[str, Any] = {"id": id, "camera": camera, "label": "car", "start_time": at, "false_positive": False}
    known = {"recognized_license_plate": seen.plate, "recognized_license_plate_score": score}
    done = after if missing else after | known
    said = [
        ("events", {"type": "new", "before": after, "after": after}),
        ("tracked_object_update", first | update),
        ("tracked_object_update", best | update),
        ("events", {"type": "end", "before": after, "after": done | {"end_time": at + 9}}),
    ]
    return [(topic, json.dumps(document, ensure_ascii=False).encode()) for topic, document in said]
