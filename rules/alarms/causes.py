"""Alarms that every site has without a rule file: doors, barriers, devices, recording, the clock.

The gateway raises them itself; their episodes are treated like those of any other rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from contract.facts.alarms import Severity
from contract.texts import Text

BuiltInCause = Literal[
    "door.forced",
    "door.held",
    "lock.failed",
    "device.failing",
    "device.lost",
    "barrier.stuck",
    "reader.unkeyed",
    "reader.tampered",
    "reader.key_refused",
    "reader.guessing",
    "camera.replayed",
    "recording.stalled",
    "file.damaged",
    "clock.doubtful",
    "rights.not_stored",
    "rights.behind",
    "account.break_glass",
    "account.locked",
    "line.in_clear",
    "hub.unreadable",
    "hub.refuses",
    "clock.error",
    "meter.backward",
    "meter.number",
    "meter.clock",
    "meter.ratio",
]


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """Severity and texts of a built-in alarm. `{name}` is the door's, lane's, device's or site's name.

    `{device}` is the device that should have acted, `{why}` what it answered, where there is one.

    `ticket`: the title of the ticket it raises, None if it asks for no maintenance.
    """

    severity: Severity
    message: Text
    response: Text
    ticket: Text | None = None


BUILT_IN: dict[BuiltInCause, BuiltIn] = {
    "door.forced": BuiltIn(
        "major",
        Text("{name}：门被强行打开", "{name}: door forced open"),
        Text(
            "1. 查看门口画面或派人到现场；2. 确认有无人员闯入；3. 关好门，检查锁和门磁；4. 记录处理结果。",
            "1. Look at the camera or send somebody. 2. Check for intruders. 3. Close the door, check lock and contact."
            " 4. Note what was found.",
        ),
    ),
    "door.held": BuiltIn(
        "minor",
        Text("{name}：门未关", "{name}: door held open"),
        Text(
            "1. 派人关门；2. 门下有物品卡住则移开；3. 闭门器无力请报修。",
            "1. Send somebody to close it. 2. Remove what blocks it. 3. Report a weak door closer.",
        ),
    ),
    "lock.failed": BuiltIn(
        "major",
        Text("{name}：锁没有动作（{device}：{why}）", "{name}: the lock did not act ({device}: {why})"),
        Text(
            "1. 派人到{name}，必要时用钥匙或应急按钮开门、锁门；2. 检查“{device}”的电源、网线和锁的接线；"
            "3. 恢复后在此远程开门一次，确认锁已动作。",
            "1. Send somebody to {name}: open or lock it by key or emergency release. 2. Check {device}: power,"
            " network, wiring of the lock. 3. Then open the door once from here: the alarm ends when the lock acts.",
        ),
        Text("{name}：锁没有动作", "{name}: the lock does not act"),
    ),
    "device.failing": BuiltIn(
        "minor",
        Text("{name}：设备有应答，但没有有效数据", "{name}: the device answers, but gives no valid data"),
        Text(
            "1. 现场查看设备面板上的故障提示；2. 核对型号与从站地址是否和配置一致；3. 重启设备仍不恢复请报修。",
            "1. Look at the fault on the device itself. 2. Compare product and unit with the site file."
            " 3. Restart it; if that does not help, call for repair.",
        ),
        Text("{name}没有有效数据", "{name} gives no valid data"),
    ),
    "device.lost": BuiltIn(
        "minor",
        Text("{name}：设备失联", "{name}: device lost"),
        Text(
            "1. 检查设备电源和网线或通信线；2. 同一线路上其他设备是否正常；3. 现场重启设备。",
            "1. Check its power and its cable. 2. See whether others on the same line answer. 3. Restart it on site.",
        ),
        Text("{name}失联", "{name} lost"),
    ),
    "barrier.stuck": BuiltIn(
        "major",
        Text("{name}：道闸未到位", "{name}: barrier did not reach its end"),
        Text(
            "1. 到现场看闸杆是否被挡；2. 疏导车辆，必要时手动抬杆；3. 断电前不要用手推杆。",
            "1. See whether the arm is blocked. 2. Direct the traffic; lift by hand crank if needed."
            " 3. Never push the arm while it is powered.",
        ),
        Text("{name}道闸未到位", "{name}: barrier stuck"),
    ),
    "reader.unkeyed": BuiltIn(
        "minor",
        Text("{name}：读头还没有密钥，未启用", "{name}: the reader has no key yet and is not in use"),
        Text(
            "1. 通知安装调试人员：在现场控制台的“线路”表里为它设置密钥；2. 读头没有故障，无需断电重启；"
            "3. 期间此门请用其他方式核实放行。",
            "1. Call an installer: its key is set under Lines at the site console. 2. The reader is"
            " not broken: do not restart it. 3. Until then check people at this door by other means.",
        ),
        Text("{name}：为读头设置密钥", "{name}: set the reader's key"),
    ),
    "reader.tampered": BuiltIn(
        "major",
        Text("{name}：读头被拆动", "{name}: the reader is being tampered with"),
        Text(
            "1. 立即查看该处画面或派人到现场；2. 有人拆卸读头则按入侵处置，门禁照常判定；3. 外壳复位后告警自动结束。",
            "1. Look at the camera or send somebody now. 2. Somebody at the reader's wires is a break-in; doors go on"
            " deciding. 3. The alarm ends when its case is closed again.",
        ),
        Text("{name}：检查读头外壳与接线", "{name}: check the reader's case and wires"),
    ),
    "reader.key_refused": BuiltIn(
        "critical",
        Text(
            "{name}：读头不接受本网关的密钥（可能被复位、调换或线路被动过手脚），已停用",
            "{name}: the reader refuses this gateway's key (reset, replaced or its line tampered with); not in use",
        ),
        Text(
            "1. 派人到现场，查看读头是否被拆换、线路是否被搭接；2. 查明之前不要重新设置密钥；"
            "3. 确认是合法更换后，由安装调试人员执行“设置读头密钥”。",
            "1. Send somebody: was the reader exchanged, is anything clipped to its wire? 2. Do not set a key again"
            " before that is known. 3. If it was exchanged rightly, an installer sets its key.",
        ),
        Text("{name}：查明读头密钥被拒的原因", "{name}: find out why the reader refuses its key"),
    ),
    "reader.guessing": BuiltIn(
        "major",
        Text("{name}：有人在试密码，密码暂停使用", "{name}: somebody tries out PINs; none is taken for a while"),
        Text(
            "1. 查看该处画面或派人到现场；2. 是住户记错密码则协助核对，刷卡不受影响；3. 反复出现请更换过短的密码。",
            "1. Look at the camera or send somebody. 2. Help a resident who forgot the PIN; cards work as always."
            " 3. If it comes again, replace short or simple PINs.",
        ),
    ),
    "camera.replayed": BuiltIn(
        "major",
        Text(
            "{name}：识别时间不是现在（{why}），不作放行",
            "{name}: its reads are not of now ({why}) and open nothing",
        ),
        Text(
            "1. 有车在等：看画面核对车牌，人工放行；2. 核对相机的时间和时区，打开 NTP 校时，校准后自动恢复放行；"
            "3. 相机时间正确仍反复出现：可能有人重放旧识别，检查相机网络和地址。",
            "1. If a car waits, check its plate and open by hand. 2. Compare the camera's time and zone, switch NTP on:"
            " once its clock is right it is believed again. 3. If its clock is right and this goes on, somebody may be"
            " playing old reads: check the cameras' network and addresses.",
        ),
        Text("{name}：核对相机时间", "{name}: check the camera's clock"),
    ),
    "recording.stalled": BuiltIn(
        "critical",
        Text("网关记录受阻：事件或读数暂存内存", "Recording stalled: events or readings wait in memory"),
        Text(
            "门和道闸照常工作。1. 不要重启网关，否则内存中的记录会丢失；2. 清理磁盘空间，检查磁盘是否只读或损坏；"
            "3. 有空间后自动补记，告警自动结束；4. 仍不恢复，通知技术支持更换磁盘。",
            "Doors and barriers go on. 1. Do not restart the gateway: what waits in memory would be lost. 2. Make"
            " room on the disk; see whether it is read-only or broken. 3. With room it records what waited, and the"
            " alarm ends. 4. If it does not, call technical support to replace the disk.",
        ),
        Text("网关记录受阻", "Gateway cannot record"),
    ),
    "file.damaged": BuiltIn(
        "major",
        Text(
            "网关文件损坏，已另存为 {why}，并用能读出的内容新建",
            "A file of the gateway was damaged: kept as {why}, begun anew with what could be read",
        ),
        Text(
            "门和道闸照常工作，读不出的部分会向总控台重新索取或记为缺失。1. 通知技术支持检查磁盘或存储卡，"
            "反复出现请更换；2. 保留另存的文件，以便恢复其中的内容；3. 处理后重启网关，文件完好则告警自动结束。",
            "Doors and barriers go on; what could not be read is asked for again or told as missing. 1. Have the disk"
            " checked; replace it if this comes again. 2. Keep the file that was set aside: it may still be read."
            " 3. Then restart the gateway: the alarm ends if all its files are whole.",
        ),
        Text("检查网关磁盘（文件损坏）", "Check the gateway's disk: a file was damaged"),
    ),
    "clock.doubtful": BuiltIn(
        "major",
        Text("网关时钟不准", "Gateway's clock is in doubt"),
        Text(
            "限时权限按各门规定处理。1. 检查网关的校时服务；2. 检查主板电池。",
            "Timed access follows each door's rule. 1. Check the time service. 2. Check the board's battery.",
        ),
        Text("网关时钟不准", "Gateway's clock is in doubt"),
    ),
    "rights.not_stored": BuiltIn(
        "critical",
        Text(
            "网关存不下新权限：重启后将按旧权限放行", "New rights are not stored: after a restart old ones would hold"
        ),
        Text(
            "门和道闸已按新权限判定。1. 不要重启网关；2. 检查磁盘空间和磁盘状态；3. 通知技术支持。存下后告警自动结束。",
            "Doors and barriers decide by the new rights. 1. Do not restart the gateway. 2. Check disk space and"
            " health. 3. Call technical support. The alarm ends when they are stored.",
        ),
        Text("网关存不下新权限", "Gateway cannot store rights"),
    ),
    "rights.behind": BuiltIn(
        "critical",
        Text("网关的权限不是最新的：已注销的卡可能仍能开门", "Rights here are old: a revoked card may still open"),
        Text(
            "1. 检查到总控台的网络；2. 急需停用的卡或人，在现场处理；3. 网络正常仍不恢复，通知技术支持。"
            "权限更新后告警自动结束。",
            "1. Check the line to the hub. 2. Deal on site with cards or persons that must not pass. 3. If the line is"
            " good, call technical support. The alarm ends when the rights are those of the hub.",
        ),
    ),
    "account.break_glass": BuiltIn(
        "major",
        Text("有人用应急账号登录了网关", "Somebody signed in with the gateway's break-glass account"),
        Text(
            "1. 确认是谁、为何拆封；不知情的，立即派人到网关处查看；2. 查看该账号登录后的操作记录；"
            "3. 网络恢复后在本网关“账号”页更换应急密码并重新封存，告警随即结束。",
            "1. Find out who broke the seal and why; if nobody knows, send somebody to the gateway now. 2. Look at what"
            " was done with it. 3. When the line is back, renew it on this gateway's Accounts page and seal the new"
            " password: the alarm ends.",
        ),
    ),
    "account.locked": BuiltIn(
        "minor",
        Text("有账号被在本网关锁定，不能在此登录", "An account is locked at this gateway and cannot sign in here"),
        Text(
            "1. 在本网关“账号”页查看锁定人和原因，并向其本人核实；2. 属实的，在总控台更换密码后解锁；"
            "3. 误锁或恶意锁定的，由角色高于锁定人的项目经理、系统管理员或应急账号在本页解锁。全部解锁后告警自动结束。",
            "1. See on this gateway's Accounts page who locked it and why, and ask that person. 2. If it is right, give"
            " the account a new password at the hub and unlock it there. 3. If it is not, a manager or an administrator"
            " (of a higher role than who locked it) or the break-glass account unlocks it on that page. The alarm ends"
            " when no lock holds.",
        ),
    ),
    "line.in_clear": BuiltIn(
        "major",
        Text("线路未连接：密码会以明文发往 {why}", "A line is not opened: its password would go in clear to {why}"),
        Text(
            "门和道闸照常工作，经此线路的设备或总控台连不上。1. 请安装调试人员在项目配置的 {place} 写 ca_file"
            "（签发其证书的机构）或 tls: true；2. 确认途中无人能窃听的，写 in_clear: true；3. 重启网关，告警随即结束。",
            "Doors and barriers go on; what is behind this line, devices or the hub, is not reached. 1. In the site"
            " file at {place}, an installer names ca_file (the authority that signed the broker's certificate) or"
            " tls: true. 2. Where nobody else can listen on the way: in_clear: true. 3. Restart the gateway: the alarm"
            " ends.",
        ),
    ),
    "hub.unreadable": BuiltIn(
        "major",
        Text(
            "总控台的消息版本（{why}）本网关读不懂，收不到通行权限和指令",
            "The hub speaks version {why}, which this gateway does not read: no access rights or commands arrive",
        ),
        Text(
            "门、道闸和告警照常工作，记录不会丢失。1. 升级本网关的软件；"
            "2. 升级之前，挂失、停权和远程开门请派人到现场处理。",
            "Doors, barriers and alarms go on, no record is lost. 1. Upgrade this gateway's software. 2. Until then"
            " have somebody on site see to lost cards, revoked rights and doors that are to be opened.",
        ),
        Text("升级网关软件", "Upgrade the gateway's software"),
    ),
    "hub.refuses": BuiltIn(
        "major",
        Text("总控台拒收本网关的记录（{why}）", "The hub refuses this gateway's records ({why})"),
        Text(
            "门、道闸和告警照常工作，记录留在本网关等待上传。1. 与版本（version）有关：先升级总控台；"
            "2. 未登记（not enrolled）：请管理员在总控台登记本网关；3. 其他原因：通知技术支持。",
            "Doors, barriers and alarms go on; the records wait in this gateway. 1. If it is about a version, upgrade"
            " the hub first. 2. If it is not enrolled, enrol it at the hub. 3. Otherwise call technical support.",
        ),
    ),
    "clock.error": BuiltIn(
        "minor",
        Text("网关时钟与总控台不一致（{why}）", "Gateway's clock differs from the hub's ({why})"),
        Text(
            "网关已改用总控台时间，门禁和指令不受影响；断网重启后时间会不准。1. 检查网关的校时服务（NTP）能否连通；"
            "2. 检查主板电池；3. 多个网关同时报警，请检查总控台服务器的时间。",
            "The gateway goes by the hub's time; doors and commands are not affected, but after a restart without the"
            " hub the time would be wrong. 1. Check that its time service (NTP) is reached. 2. Check the board's"
            " battery. 3. If several gateways say so at once, check the hub's own clock.",
        ),
        Text("网关时钟与总控台不一致", "Gateway's clock differs from the hub's"),
    ),
    "meter.backward": BuiltIn(
        "major",
        Text("{name}：表计读数倒退（{why}）", "{name}: the register went backward ({why})"),
        Text(
            "1. 到现场核对表上读数和表号；2. 换过表的，在配置中改为新表号；3. 未换表的，检查接线和倍率，"
            "表坏则更换；4. 在账单上更正这段用量。",
            "1. Compare reading and number at the meter itself. 2. If it was exchanged, put the new number into the"
            " site file. 3. If not, check wiring and ratios, or replace it. 4. Correct the bill for this time.",
        ),
        Text("{name}读数倒退", "{name} counts backward"),
    ),
    "meter.number": BuiltIn(
        "minor",
        Text("{name}：表号与配置不符（{why}）", "{name}: another meter than the site file says ({why})"),
        Text(
            "1. 到现场核对表号；2. 换过表的，在配置中改为新表号；3. 未换表的，检查通信线是否接错表。",
            "1. Read the number at the meter. 2. If it was exchanged, put the new number into the site file."
            " 3. If not, check whether the line goes to the wrong meter.",
        ),
        Text("{name}表号与配置不符", "{name}: number differs from the site file"),
    ),
    "meter.ratio": BuiltIn(
        "major",
        Text("{name}：互感器变比（{why}）", "{name}: transformers' ratio ({why})"),
        Text(
            "1. 核对表内变比与互感器铭牌；2. 表不提供变比的，在配置 scale_by 中写明，直接接入写 1；"
            "3. 变比被改过的，更正此前的用量。",
            "1. Compare the ratio in the meter with the transformers' plates. 2. If the meter does not tell it, put it"
            " into the site file (scale_by), 1 where there are none. 3. If it was changed, correct the use before.",
        ),
        Text("{name}核对互感器变比", "Check the transformers' ratio of {name}"),
    ),
    "meter.clock": BuiltIn(
        "warning",
        Text("{name}：表内时钟不准（{why}）", "{name}: the meter's clock is wrong ({why})"),
        Text(
            "分时电量会记错时段。1. 给表校时；2. 校时后仍不准，更换时钟电池或表。",
            "Tariffs are counted at the wrong hours. 1. Set the meter's clock. 2. If it is wrong again, replace its"
            " battery or the meter.",
        ),
    ),
}
