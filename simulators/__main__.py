"""`python -m simulators run|act|demo`: devices that stand in for a site's, acts on them, and the whole demo."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from simulators.act import app as act_app

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Stands in for every device of a site.")
app.add_typer(act_app, name="act")
if importlib.util.find_spec("simulators.demo") is not None:
    # The demo brings engines that a machine with simulators alone need not have.
    try:
        from simulators.demo.demo import app as demo_app
    except ModuleNotFoundError:
        pass
    else:
        app.add_typer(demo_app, name="demo")


@app.command()
def run(  # noqa: PLR0917 - typer calls it by name
    site: Annotated[Path, typer.Option(help="The site file.")],
    wires: Annotated[Path, typer.Option(help="Written when every wire is open; its ports are used again.")],
    gateway_url: Annotated[str, typer.Option(help="Where the site's gateway takes cameras' pushes.")],
    port: Annotated[int, typer.Option(help="Port of the control API on loopback; 0: any.")] = 0,
    wires_in: Annotated[Path | None, typer.Option(help="Wires that exist already (MQTT brokers).")] = None,
    data: Annotated[Path, typer.Option(help="Names of serial lines, and what the meters counted.")] = Path(
        "var/simulators"
    ),
    people: Annotated[Path | None, typer.Option(help="Whose cards and plates come and go.")] = None,
    rhythm: Annotated[bool, typer.Option(envvar="RHYTHM", help="People and cars come and go by themselves.")] = True,
    seed: Annotated[int, typer.Option(help="The same seed makes the same people come.")] = 0,
    paced: Annotated[bool, typer.Option(help="Serial lines take the time that their baud rate takes.")] = True,
    check: Annotated[bool, typer.Option("--check", help="Checks the files and ends.")] = False,
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
        typer.echo(str(wrong), err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


if __name__ == "__main__":
    app()
