"""Every sentence with which a decision explains itself. One table: code → Chinese and English.

Guards read these for twelve hours: short, the fact first. `{words}` are filled in by `reason`; a parameter that is
a `Text` fills each language with its own words.
"""

from __future__ import annotations

from contract.desired import CredentialKind
from contract.texts import Reason, Text

NOUNS: dict[CredentialKind, Text] = {
    "card": Text("卡", "Card"),
    "pin": Text("密码", "PIN"),
    "qr": Text("二维码", "QR code"),
    "plate": Text("车牌", "Plate"),
    "face": Text("人脸", "Face"),
}
"""What a credential is called at the start of a sentence."""

PLACES: dict[str, Text] = {"door": Text("此门", "this door"), "lane": Text("此车道", "this lane")}

REASONS: dict[str, Text] = {
    # Granted
    "granted": Text("通行权限有效", "Allowed"),
    "granted_hours": Text("通行权限有效（{hours}）", "Allowed ({hours})"),
    "granted_clock_doubt": Text(
        "有限时通行权限；网关时钟不准，按本处规定放行", "Timed access; clock in doubt, let in by the rule here"
    ),
    "mode_unlocked": Text("门为常开", "Door stays unlocked"),
    "visitor_admitted": Text("临停车，自动放行", "Temporary vehicle, let in"),
    "exit_out_of_hours": Text("已过允许时段，放行离开", "Outside permitted hours, let out"),
    "exit_ended": Text("通行权限已到期，放行离开", "Access has ended, let out"),
    "exit_registered": Text("已登记车辆出场", "Registered vehicle leaving"),
    "exit_visitor": Text("临停车出场", "Temporary vehicle leaving"),
    # Denied: the place
    "mode_locked": Text("门为常闭（封锁），暂停通行", "Door is locked down"),
    # Denied: the credential
    "blocked_plate": Text("黑名单车辆：{why}", "Blocked vehicle: {why}"),
    "blocked": Text("黑名单{noun}：{why}", "{noun} is blocked: {why}"),
    "unknown_card": Text("未登记的卡", "Unknown card"),
    "unknown_pin": Text("密码错误", "Wrong PIN"),
    "unknown_qr": Text("无效的二维码", "Unknown QR code"),
    "unknown_plate": Text("未登记车辆", "Unknown plate"),
    "unknown_face": Text("未登记的人脸", "Unknown face"),
    "revoked": Text("{noun}已注销", "{noun} is revoked"),
    "lost": Text("{noun}已挂失", "{noun} is reported lost"),
    "not_yet_valid": Text("{noun}未到启用时间（{at} 起）", "{noun} is valid from {at}"),
    "expired": Text("{noun}已过期（{at} 止）", "{noun} expired {at}"),
    # Denied: the holder
    "holder_unknown": Text("{noun}没有人员资料", "{noun} has no person on record"),
    "holder_not_yet": Text("人员未到入住或上岗时间（{at} 起）", "Person may enter from {at}"),
    "holder_expired": Text("人员有效期已过（{at} 止）", "Person's dates ended {at}"),
    # Denied: the grants
    "no_grant": Text("没有{place}的通行权限", "No access to {place}"),
    "grant_not_yet": Text("通行权限未到生效时间（{at} 起）", "Access begins {at}"),
    "grant_expired": Text("通行权限已到期（{at} 止）", "Access ended {at}"),
    "outside_hours": Text("不在允许时段（{hours}）", "Outside permitted hours ({hours})"),
    "schedule_unknown": Text(
        "通行权限的时段不存在（{schedule}）", "The schedule of this access does not exist ({schedule})"
    ),
    "clock_doubt": Text("网关时钟不准，限时通行权限暂停", "Clock in doubt: timed access is suspended here"),
    # Denied: the plate read
    "visitor_ask": Text("临停车，请核对后放行", "Temporary vehicle: check and open"),
    "visitor_refused": Text("临停车，此车道不放行", "Temporary vehicle: not let in here"),
    "no_plate": Text("未识别到车牌，请人工处理", "Plate not read: check and open manually"),
    "low_confidence": Text(
        "识别可信度低（{percent}%），请核对车牌", "Read with low confidence ({percent}%): check the plate"
    ),
    "car_unread": Text("车在闸前，相机没有识别，请人工处理", "A car is waiting that the camera did not read"),
    "car_again": Text("同一车辆又到闸前，请核对", "The same car is waiting again: check"),
    # Ignored: the plate read
    "repeated": Text("同一车辆重复识别", "Same vehicle read again"),
    "replayed": Text("相机补传的记录，不作放行", "Stored read sent later by the camera: not acted on"),
    "replayed_late": Text(
        "识别后 {by} 才送达，不作放行；车在场请人工核对放行",
        "Arrived {by} after it was read: not acted on; if the car is there, check and open manually",
    ),
    "replayed_old": Text(
        "按相机时钟是 {by} 前的识别，不作放行；车在场请人工核对放行",
        "Read {by} ago by its camera's clock: not acted on; if the car is there, check and open manually",
    ),
    "replayed_ahead": Text(
        "识别时间超前 {by}，不作放行；车在场请人工核对放行",
        "Stamped {by} ahead by its camera: not acted on; if the car is there, check and open manually",
    ),
    # Commands
    "command_expired": Text("指令到达时已过有效期", "Expired before it arrived"),
    "command_repeated": Text("指令已执行过", "Command was carried out before"),
    "command_clock": Text(
        "网关时钟不准，无法确认指令未过期，未执行", "Clock in doubt: cannot tell whether the command is still valid"
    ),
    "command_ahead": Text(
        "指令的签发时间比网关时钟快 {seconds} 秒以上，请校时", "Issued over {seconds} s ahead of the gateway's clock"
    ),
    "command_times": Text("指令的有效期有误", "The command's times contradict each other"),
    "command_args": Text("指令参数有误：{what}", "The command's arguments are wrong: {what}"),
    "reason_code_unknown": Text("没有这个原因代码：{what}", "There is no such reason here: {what}"),
    "subject_missing": Text("须指明是哪一条记录", "Say which record it is about"),
    "hit_unknown": Text(
        "这里没有这条黑名单记录，未记为已知悉", "There is no such hit on the block list here: not noted"
    ),
    "other_car": Text(
        "那辆车已不在闸前，未开闸；请看现场再操作",
        "That car has gone: not opened. Look before asking again",
    ),
    "blocked_car": Text(
        "闸前是黑名单车辆：须输入其车牌确认，未开闸",
        "The car before the barrier is on the block list: its plate must be typed to open. Not opened",
    ),
    "blocked_car_why": Text(
        "为黑名单车辆开闸须写明原因，未开闸",
        "Opening for a car that is on the block list needs a reason in own words. Not opened",
    ),
    "command_role": Text("当前角色无权执行此操作", "This role may not do that"),
    # Tickets
    "ticket_step": Text("工单处于“{state}”，不能{step}", "{step}: not while the ticket is “{state}”"),
    "ticket_role": Text("当前角色无权处理工单", "This role may not work on tickets"),
    "ticket_alarm_active": Text("告警尚未恢复，工单不能关闭", "The alarm is still active: the ticket cannot be closed"),
    "ticket_accept": Text(
        "只有报修人、经理或管理员可以验收", "Only who asked for the work, a manager or an administrator may accept it"
    ),
    "ticket_own": Text("自己完成的工单须由他人验收", "Somebody else must accept work that you did yourself"),
    "ticket_taken": Text("{name} 已接单", "{name} has taken it"),
    "ticket_finish_others": Text("工单由 {name} 处理中", "{name} is working on this ticket"),
    "ticket_text": Text("请填写备注内容", "Please write a comment"),
    "ticket_field": Text("请填写{name}", "Please fill in: {name}"),
    "ticket_parts": Text("还有 {count} 个子工单未结束", "{count} parts of it are not over yet"),
    "ticket_checklist": Text("检查清单还有 {count} 项未填", "{count} lines of the checklist are open"),
    "ticket_scan": Text("请先在现场扫码签到", "Scan the code at the place first"),
}


def reason(code: str, **words: Text | str | int) -> Reason:
    """The sentence of `code` with its words filled in; `KeyError` for a code or a word that does not exist."""
    sentence = REASONS[code]
    zh = {name: word.zh if isinstance(word, Text) else str(word) for name, word in words.items()}
    en = {name: word.en if isinstance(word, Text) else str(word) for name, word in words.items()}
    return Reason(code=code, zh=sentence.zh.format_map(zh), en=sentence.en.format_map(en))
