"""`discover`: what devices announce on the site's broker (Home Assistant's discovery), drafted as profiles."""

from __future__ import annotations

import asyncio
import os
import ssl
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiomqtt

from drivers.mqtt.drafts import Draft, Drafts, drafts_of
from drivers.profiles.files import FOLDER
from gateway.installer.terminal.screen import Screen
from gateway.installer.terminal.trouble import FAILED, Trouble

MESSAGES_LIMIT = 5000
BYTES_LIMIT = 32 * 1024 * 1024
QUIET_S = 1.0
"""Retained messages come at once: after so long without one there are no more."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the announcements are. `bus`: its id in the site file."""

    bus: str
    host: str
    port: int
    username: str | None
    password: str | None
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for, and where drafts are written (None: only shown)."""

    prefix: str
    within_s: float
    out: Path | None
    also_here: bool


async def discover(screen: Screen, broker: Broker, wanted: Wanted) -> int:
    """Shows (and writes) a draft for every device that announces itself; the exit status."""
    screen.note(
        f"在 {broker.host}:{broker.port} 听 {wanted.prefix}/#（最多 {wanted.within_s:g} 秒）",
        f"listening to {wanted.prefix}/# on {broker.host}:{broker.port} (at most {wanted.within_s:g} s)",
        "",
    )
    said = await _announcements(broker, wanted)
    if not wanted.also_here:
        # What the gateway itself shows to a Home Assistant is no device.
        said = {topic: payload for topic, payload in said.items() if b"gatehouse" not in payload.lower()}
    taken = [path.stem for path in FOLDER.glob("*/*.yaml")]
    drafts = drafts_of(said, broker.bus, wanted.prefix, taken)
    return _report(screen, drafts, wanted, len(said))


async def _announcements(broker: Broker, wanted: Wanted) -> dict[str, bytes]:
    said: dict[str, bytes] = {}
    size = 0
    try:
        async with aiomqtt.Client(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            tls_context=broker.tls,
            identifier=f"gatehouse-discover-{uuid.uuid4().hex}",
            timeout=5,
            max_queued_incoming_messages=MESSAGES_LIMIT,
        ) as client:
            await client.subscribe(f"{wanted.prefix}/#")
            messages = client.messages
            with suppress(TimeoutError):
                async with asyncio.timeout(wanted.within_s):
                    while len(said) < MESSAGES_LIMIT and size < BYTES_LIMIT:
                        async with asyncio.timeout(QUIET_S if said else wanted.within_s):
                            message = await anext(messages)
                        payload = message.payload if isinstance(message.payload, bytes) else b""
                        if message.topic.value.endswith("/config") and payload:
                            said[message.topic.value] = payload
                            size += len(payload)
    except (aiomqtt.MqttError, OSError) as wrong:
        raise Trouble(
            f"连不上 MQTT 服务器 {broker.host}:{broker.port}：{wrong}",
            f"the MQTT broker at {broker.host}:{broker.port} cannot be reached: {wrong}",
            FAILED,
        ) from wrong
    return said


def _report(screen: Screen, drafts: Drafts, wanted: Wanted, heard: int) -> int:
    say = screen.say
    if not heard:
        screen.line(
            f"没有设备在 {wanted.prefix}/… 下公布自己：设备里打开 Home Assistant 发现了吗？前缀对吗？",
            f"no device announces itself under {wanted.prefix}/…: is Home Assistant discovery on? is the prefix right?",
            "yellow",
        )
    rows = [[draft.device, draft.name, draft.kind, str(len(draft.topics))] for draft in drafts.drafts]
    if rows:
        heads = (say("设备", "device"), say("名称", "name"), say("种类", "kind"), say("公布项", "announcements"))
        screen.table(heads, rows)
    for draft in drafts.drafts:
        if wanted.out is not None:
            path = _write(draft, wanted.out)
            screen.line(f"已写 {path}", f"wrote {path}", "green")
        else:
            screen.text(f"--- {draft.kind}/{draft.id}.yaml", "bold")
            screen.text(draft.profile.rstrip())
    if drafts.drafts:
        screen.line("项目配置可以这样写：", "for the site file:", "bold")
        if wanted.out is not None:
            screen.text(f"  profiles: [{wanted.out}]")
        screen.text("  devices:")
        for draft in drafts.drafts:
            screen.text("    " + draft.line.strip())
    for refused in drafts.refused:
        screen.warn(f"{refused.topic}：{refused.why.zh}", f"{refused.topic}: {refused.why.en}")
    screen.record(
        heard=heard,
        drafts=[
            {
                "id": draft.id,
                "kind": draft.kind,
                "device": draft.device,
                "name": draft.name,
                "profile": draft.profile,
                "line": draft.line,
            }
            for draft in drafts.drafts
        ],
        refused=[{"topic": each.topic, "why": say.of(each.why)} for each in drafts.refused],
    )
    return 0 if drafts.drafts else FAILED


def _write(draft: Draft, out: Path) -> Path:
    """Writes a draft; one that is there already is somebody's work and stays."""
    path = out / draft.kind / f"{draft.id}.yaml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as file:
            file.write(draft.profile)
    except FileExistsError:
        raise Trouble(f"{path} 已存在，没有覆盖", f"{path} is there already and was left as it is", FAILED) from None
    except OSError as wrong:
        raise Trouble(f"不能写 {path}：{wrong.strerror}", f"{path} cannot be written: {wrong.strerror}") from wrong
    return path
