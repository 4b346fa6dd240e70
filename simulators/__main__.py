"""`python -m simulators run|act|demo`: devices that stand in for a site's, acts on them, and the whole demo."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from contract.commandline import CommandLine, say
from simulators.act import app as act_app

app = CommandLine(no_args_is_help=True, help=say("代替一个项目的所有设备。", "Stands in for every device of a site."))
app.add_typer(act_app, name="act")
if importlib.util.find_spec("simulators.demo") is not None:
    # The demo brings engines that a machine with simulators alone need not have.
    try:
        from simulators.demo.demo import app as demo_app
    except ModuleNotFoundError:
        pass
    else:
        app.add_typer(demo_app, name="demo")


@app.command(
    help=say(
        "打开项目的所有线路，写出位置，运行到 Ctrl-C。",
        "Opens every wire of the site, writes where they are, and lets time run until Ctrl-C.",
    )
)
def run(  # noqa: PLR0917 - typer calls it by name
    site: Annotated[Path, typer.Option(help=say("项目配置。", "The site file."))],
    wires: Annotated[
        Path,
        typer.Option(
            help=say(
                "所有线路就绪后写出；下次仍用其中的端口。", "Written when every wire is open; its ports are used again."
            )
        ),
    ],
    gateway_url: Annotated[
        str, typer.Option(help=say("网关接收相机推送的网址。", "Where the site's gateway takes cameras' pushes."))
    ],
    port: Annotated[
        int, typer.Option(help=say("控制接口在本机的端口；0 为任意。", "Port of the control API on loopback; 0: any."))
    ] = 0,
    wires_in: Annotated[
        Path | None, typer.Option(help=say("已经存在的线路（MQTT 服务）。", "Wires that exist already (MQTT brokers)."))
    ] = None,
    data: Annotated[
        Path,
        typer.Option(help=say("串口的名字和表计读数存在这里。", "Names of serial lines, and what the meters counted.")),
    ] = Path("var/simulators"),
    people: Annotated[
        Path | None, typer.Option(help=say("谁的卡和车牌进出。", "Whose cards and plates come and go."))
    ] = None,
    rhythm: Annotated[
        bool, typer.Option(envvar="RHYTHM", help=say("人和车自己进出。", "People and cars come and go by themselves."))
    ] = True,
    seed: Annotated[
        int, typer.Option(help=say("种子相同，来的人就相同。", "The same seed makes the same people come."))
    ] = 0,
    paced: Annotated[
        bool,
        typer.Option(help=say("串口按波特率所需的时间走。", "Serial lines take the time that their baud rate takes.")),
    ] = True,
    check: Annotated[bool, typer.Option("--check", help=say("检查文件后结束。", "Checks the files and ends."))] = False,
) -> None:
    """Opens every wire of the site, writes where they are, and lets time run until Ctrl-C."""
    # Here, so that `act` need not load what only running simulators need.
    from config import SiteErrors, load_site  # noqa: PLC0415
    from simulators import running  # noqa: PLC0415
    from simulators.people import read_people  # noqa: PLC0415
    from simulators.rhythm import Rhythm  # noqa: PLC0415
    from simulators.site import SimSite  # noqa: PLC0415
    from simulators.wires import WiresFault  # noqa: PLC0415

    try:
        loaded = load_site(site)
        simulated = SimSite(loaded.site, loaded.profiles, seed)
        places = running.Places(wires, data, gateway_url, wires_in, paced)
        if check:
            return
        known = people or Path("config/examples") / f"{loaded.site.site}-people.yaml"
        visits = Rhythm(loaded.site, read_people(known), seed)
        asyncio.run(running.run(running.Running(simulated, places, visits, rhythm_on=rhythm), port))
    except (SiteErrors, WiresFault, OSError) as wrong:
        typer.echo(wrong.say(say.language) if isinstance(wrong, SiteErrors) else str(wrong), err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


if __name__ == "__main__":
    app()
