"""The numbers of the overview in words: each says what it counts, and leads to the rows that it counted."""

from __future__ import annotations

from typing import Literal, get_args

from contract.texts import Text
from hub.sites.schemas import NumberKey, OverviewNumber
from rules.access.entries import REFUSALS
from rules.alarms.rule import ALARM_STATES
from rules.tickets.steps import TicketState
from web import shapes

LASTING = sorted({state for state, kind in ALARM_STATES if kind == "alarm.cleared"})
"""The states of an alarm whose cause is still there."""

_UNFINISHED = [state for state in get_args(TicketState) if state != "closed"]


def _number(key: NumberKey, name: Text, definition: Text, rows: str) -> OverviewNumber:
    return {"key": key, "name": shapes.text_of(name), "definition": shapes.text_of(definition), "rows": rows}


def _alarms(severity: Literal["&severity=critical", ""] = "") -> str:
    return f"/alarms?state={','.join(LASTING)}{severity}"


NUMBERS = [
    _number(
        "alarms",
        Text("未恢复告警", "Alarms not cleared"),
        Text(
            "原因仍然存在的告警，无论是否已确认或暂停提醒；已恢复的不计。",
            "Alarms whose cause is still there, acknowledged, snoozed or not; what has recovered does not count.",
        ),
        _alarms(),
    ),
    _number(
        "critical",
        Text("其中紧急", "Of these critical"),
        Text("未恢复告警中级别为“紧急”的。", "Alarms not cleared whose severity is critical."),
        _alarms("&severity=critical"),
    ),
    _number(
        "tickets",
        Text("未关闭工单", "Open tickets"),
        Text(
            "尚未关闭的工单，包括待验收的。",
            "Tickets that are not closed, those that wait to be verified among them.",
        ),
        f"/tickets?state={','.join(_UNFINISHED)}",
    ),
    _number(
        "doors_open",
        Text("门未关", "Doors open"),
        Text("门磁此刻报告为“开”的门。", "Doors whose contact says open just now."),
        "/guard?tab=doors&doors=open",
    ),
    _number(
        "denied",
        Text("今日拒绝", "Refusals today"),
        Text(
            "自项目当地零点起，门和车道拒绝通行的次数；以总控台的记录为准，与本浏览器加载了多少无关。",
            "How often doors and lanes refused somebody since midnight at the site: by the hub's records, whatever this"
            " browser has loaded.",
        ),
        f"/history?outcome={','.join(REFUSALS)}",
    ),
    _number(
        "gateways_offline",
        Text("网关离线", "Gateways offline"),
        Text(
            "与总控台失去联系的网关；离线期间，该项目的其他数字停留在最后一次联系时。",
            "Gateways that the hub has lost: until they are back, the site's numbers are those of the last contact.",
        ),
        "/devices?gateways=offline",
    ),
]
