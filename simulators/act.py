"""`python -m simulators act …`: the control API from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

import httpx
import typer

from contract.commandline import CommandLine, say


class Running(NamedTuple):
    """The running demo's file, and which of its sites is meant; None: the first."""

    file: Path = Path("var/demo.json")
    site: str | None = None


def _address(context: typer.Context, url: str | None) -> str:
    if url:
        return url.rstrip("/")
    file, site = context.find_object(Running) or Running()
    try:
        running = json.loads(file.read_text(encoding="utf-8"))
        sites = running["sites"]
        if site is not None and site not in sites:
            typer.echo(
                say(
                    f"正在运行的演示中没有项目 {site}；有：{'、'.join(sites)}",
                    f"there is no site {site} in the running demo; there are {', '.join(sites)}",
                ),
                err=True,
            )
            raise typer.Exit(2)
        return str(sites[site or running["site"]]["sim_url"]).rstrip("/")
    except (OSError, ValueError, KeyError):
        typer.echo(
            say(
                f"这里没有演示在运行（没有 {file}）：用 --url 指明控制接口",
                f"no demo is running here ({file} is missing): name the control API with --url",
            ),
            err=True,
        )
        raise typer.Exit(2) from None


Url = Annotated[
    str | None,
    typer.Option(
        callback=_address,
        help=say("控制接口；默认是正在运行的演示。", "The control API; by default that of the running demo."),
    ),
]

app = CommandLine(
    no_args_is_help=True,
    help=say("对运行中的模拟器动手：人、车、数值、故障。", "Acts on running simulators: people, cars, values, faults."),
)


@app.callback(
    help=say("对运行中的模拟器动手：人、车、数值、故障。", "Acts on running simulators: people, cars, values, faults.")
)
def act(
    context: typer.Context,
    site: Annotated[
        str | None,
        typer.Option(
            help=say("演示中的哪个项目；默认第一个。", "Which site of the running demo; by default its first.")
        ),
    ] = None,
    demo: Annotated[Path, typer.Option(help=say("正在运行的演示的文件。", "The file of the running demo."))] = Path(
        "var/demo.json"
    ),
) -> None:
    """Acts on running simulators: people, cars, values, faults."""
    context.obj = Running(demo, site)


@app.command(help=say("在读头上刷卡（十六进制）或出示二维码文字。", "Shows a card (hex) or a QR text at a reader."))
def present(
    reader: str,
    card: str,
    walk: Annotated[bool, typer.Option(help=say("门锁打开后走进去。", "Go through once the lock lets go."))] = False,
    url: Url = None,
) -> None:
    """Shows a card (hex) or a QR text at a reader."""
    _say(_call("POST", f"/sim/readers/{quote(reader)}/present", {"card": card, "walk": walk}, url))


@app.command(
    "type",
    help=say(
        "在读头键盘上输入：数字、#（确认）、*（清除）。", "Types at a reader's keypad: digits, # (enter), * (clear)."
    ),
)
def type_keys(reader: str, keys: str, url: Url = None) -> None:
    """Types at a reader's keypad: digits, # (enter), * (clear)."""
    _say(_call("POST", f"/sim/readers/{quote(reader)}/type", {"keys": keys}, url))


@app.command("drive-up", help=say("开一辆车到车道前。", "Drives a car up to a lane."))
def drive_up(lane: str, plate: str, url: Url = None) -> None:
    """Drives a car up to a lane."""
    _say(_call("POST", f"/sim/lanes/{quote(lane)}/drive-up", {"plate": plate}, url))


@app.command(
    help=say(
        "把车道相机的上一次识别再发一遍，如同有人录下重放。",
        "Sends the last read of a lane's camera once more, as somebody would who recorded it.",
    )
)
def replay(
    lane: str,
    ago: Annotated[
        float,
        typer.Option(
            "--ago",
            help=say("时间戳提前几秒；0 为原样。", "Seconds by which it is stamped earlier; 0: the same bytes."),
        ),
    ] = 0,
    url: Url = None,
) -> None:
    """Sends the last read of a lane's camera once more, as somebody would who recorded it."""
    _say(_call("POST", f"/sim/lanes/{quote(lane)}/replay", {"ago_s": ago}, url))


@app.command(
    "set",
    help=say(
        "指定一个点位的值（true、false、数字或选项）；`null` 恢复为模拟值。",
        "Overrides a point (true, false, a number or a label); `null` gives it back to the physics.",
    ),
)
def set_point(device: str, point: str, value: str, url: Url = None) -> None:
    """Overrides a point (true, false, a number or a label); `null` gives it back to the physics."""
    _say(_call("POST", f"/sim/points/{quote(device)}/{quote(point)}", {"value": _value(value)}, url))


@app.command(
    "input",
    help=say(
        "拨动一个触点：on、off、open、closed；`null` 松开。",
        "Acts on a contact: on, off, open, closed; `null` lets go.",
    ),
)
def set_input(device: str, name: str, state: str, url: Url = None) -> None:
    """Acts on a contact: on, off, open, closed; `null` lets go."""
    _say(_call("POST", f"/sim/inputs/{quote(device)}/{quote(name)}", {"state": _value(state)}, url))


@app.command(help=say("让设备出故障；`faults` 列出可有哪些。", "Breaks a device; `faults` names what can be broken."))
def fault(
    device: str,
    name: str,
    seconds: Annotated[
        float | None,
        typer.Option("--for", help=say("秒数；不写则到 `clear` 为止。", "Seconds; without it until `clear`.")),
    ] = None,
    url: Url = None,
) -> None:
    """Breaks a device; `faults` names what can be broken."""
    _say(_call("POST", "/sim/faults", {"device": device, "fault": name, "for_s": seconds}, url))


@app.command(help=say("取消所有故障，或一台设备的。", "Takes all faults away, or those of one device."))
def clear(device: Annotated[str | None, typer.Argument()] = None, url: Url = None) -> None:
    """Takes all faults away, or those of one device."""
    _say(_call("DELETE", f"/sim/faults?device={quote(device)}" if device else "/sim/faults", None, url))


@app.command(
    help=say(
        "有哪些故障、哪台设备可有哪些、哪些正在发生。",
        "Which faults there are, which device can have which, and which are at work.",
    )
)
def faults(url: Url = None) -> None:
    """Which faults there are, which device can have which, and which are at work."""
    _say(_call("GET", "/sim/faults", None, url))


@app.command(help=say("让人自己进出（`on`）或不（`off`）。", "Lets people come and go (`on`) or not (`off`)."))
def rhythm(state: str, url: Url = None) -> None:
    """Lets people come and go (`on`) or not (`off`)."""
    if state not in ("on", "off"):
        raise typer.BadParameter(say("应为 on 或 off", "on or off is expected"))
    _say(_call("POST", "/sim/rhythm", {"on": state == "on"}, url))


@app.command(help=say("每台设备、每扇门、每条车道现在的样子。", "Every device, door and lane as it is now."))
def devices(url: Url = None) -> None:
    """Every device, door and lane as it is now."""
    _say(_call("GET", "/sim/devices", None, url))


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if not isinstance(value, (dict, list)) else text


def _call(method: str, path: str, body: dict[str, Any] | None, url: str | None) -> Any:
    address = url or ""  # the option has found it
    try:
        answer = httpx.request(method, address + path, json=body, timeout=30)
    except httpx.HTTPError as wrong:
        typer.echo(say(f"{address} 没有应答：{wrong}", f"nobody answers at {address}: {wrong}"), err=True)
        raise typer.Exit(2) from None
    if answer.is_success:
        return answer.json()
    try:
        error = answer.json()["error"]
        fields = "".join(f"\n  {name}: {why}" for name, why in error.get("fields", {}).items())
        typer.echo(f"{error['message']}{fields}", err=True)
    except (ValueError, KeyError, TypeError):
        typer.echo(f"{answer.status_code}: {answer.text[:200]}", err=True)
    raise typer.Exit(1)


def _say(answer: Any) -> None:
    typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
