"""Quick reasons: why people open, close, set and note, as codes that can be counted. One table: code → both languages.

What is asked beside them in own words stays as it was written. A code keeps its meaning for ever: whoever wants other
words for another thing adds a code. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from contract.commands import CommandKind
from contract.texts import Reason, Text
from rules.reasons import reason

QUICK_REASONS: Mapping[str, Text] = {
    "plate_not_read": Text("车牌未识别，已核对业主", "Plate not read, resident verified"),
    "visitor_registered": Text("访客已登记", "Visitor registered"),
    "delivery": Text("快递、外卖、送货", "Courier or delivery"),
    "works_vehicle": Text("物业或施工车辆", "Staff or contractor's vehicle"),
    "works_person": Text("物业或施工人员", "Staff or contractor"),
    "emergency": Text("急救、消防、公安", "Ambulance, fire or police"),
    "moving": Text("搬家或大件搬运", "Moving house or bulky goods"),
    "taxi": Text("网约车、出租车接送", "Taxi picking up or dropping off"),
    "device_test": Text("设备测试", "Equipment test"),
    "car_passed": Text("车辆已通过", "Vehicle has passed"),
    "car_backed_out": Text("车辆倒车离开", "Vehicle backed away"),
    "opened_by_mistake": Text("误开闸", "Opened by mistake"),
    "clear_lane": Text("闸口清场", "Clearing the lane"),
    "card_forgotten": Text("住户忘带卡，已核对身份", "Resident forgot card, verified"),
    "frail_person": Text("老人、儿童、行动不便者", "Child, elderly or reduced mobility"),
    "fire_drill": Text("消防演练", "Fire drill"),
    "incident": Text("突发事件", "Emergency"),
    "maintenance": Text("设备检修", "Maintenance"),
    "back_to_normal": Text("恢复正常", "Back to normal"),
    "reader_new": Text("新读头安装", "New reader installed"),
    "reader_replaced": Text("更换读头", "Reader replaced"),
    "key_renewal": Text("定期更换密钥", "Regular change of keys"),
    "reader_reset": Text("读头恢复出厂后重装", "Reader was reset"),
    "on_the_way": Text("已派人前往", "Somebody is on the way"),
    "seen_on_site": Text("已到场查看", "Looked at on site"),
    "known_fault": Text("已知故障，等待维修", "Known fault, waiting for repair"),
    "false_alarm": Text("误报", "False alarm"),
    "parts_ordered": Text("等待配件", "Waiting for parts"),
    "hit_noted": Text("已知晓并登记", "Noted and recorded"),
}
"""Code → its words."""

OFFERED: Mapping[CommandKind, tuple[str, ...]] = {
    "barrier.open": (
        "plate_not_read", "visitor_registered", "delivery", "works_vehicle", "emergency", "moving", "taxi",
        "device_test",
    ),
    "barrier.close": ("car_passed", "car_backed_out", "opened_by_mistake", "clear_lane", "device_test"),
    "door.unlock": (
        "card_forgotten", "visitor_registered", "delivery", "works_person", "emergency", "frail_person", "moving",
        "device_test",
    ),
    "door.mode": ("moving", "fire_drill", "incident", "maintenance", "back_to_normal"),
    "reader.set_key": ("reader_new", "reader_replaced", "key_renewal", "reader_reset"),
    "alarm.ack": ("on_the_way", "seen_on_site", "known_fault", "false_alarm", "device_test"),
    "alarm.shelve": ("maintenance", "parts_ordered", "known_fault", "false_alarm", "device_test"),
    "hit.acknowledge": ("hit_noted",),
}  # fmt: skip
"""What is commanded → the codes that are offered for it, in the order in which they are numbered."""


def code_fault(kind: str, code: str | None) -> Reason | None:
    """Why `code` is no reason for a command of `kind`, or None; no code at all is none that is wrong."""
    offered = next((codes for known, codes in OFFERED.items() if known == kind), ())
    if code is None or code in offered:
        return None
    return reason("reason_code_unknown", what=code)


def words_of(said: str, code: str | None) -> str:
    """What a command's `reason` holds: what was said or, if nothing was, the code's Chinese words.

    Who reads neither codes nor English still reads why.
    """
    said = said.strip()
    return said if said or code is None else QUICK_REASONS[code].zh


def in_own_words(said: str, code: str | None) -> bool:
    """Whether a command's `reason` says more than its code does."""
    known = None if code is None else QUICK_REASONS.get(code)
    return bool(said.strip()) and (known is None or said.strip() not in {known.zh, known.en})
