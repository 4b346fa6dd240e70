"""`python -m simulators act …`: the control API from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

import httpx
import typer


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
            typer.echo(f"there is no site {site} in the running demo; there are {', '.join(sites)}", err=True)
            raise typer.Exit(2)
        return str(sites[site or running["site"]]["sim_url"]).rstrip("/")
    except (OSError, ValueError, KeyError):
        typer.echo(f"no demo is running here ({file} is missing): name the control API with --url", err=True)
        raise typer.Exit(2) from None


Url = Annotated[
    str | None, typer.Option(callback=_address, help="The control API; by default that of the running demo.")
]

app = typer.Typer(no_args_is_help=True, help="Acts on running simulators: people, cars, values, faults.")


@app.callback()
def act(
    context: typer.Context,
    site: Annotated[str | None, typer.Option(help="Which site of the running demo; by default its first.")] = None,
    demo: Annotated[Path, typer.Option(help="The file of the running demo.")] = Path("var/demo.json"),
) -> None:
    """Acts on running simulators: people, cars, values, faults."""
    context.obj = Running(demo, site)


@app.command()
def present(
    reader: str,
    card: str,
    walk: Annotated[bool, typer.Option(help="Go through once the lock lets go.")] = False,
    url: Url = None,
) -> None:
    """Shows a card (hex) or a QR text at a reader."""
    _say(_call("POST", f"/sim/readers/{quote(reader)}/present", {"card": card, "walk": walk}, url))


@app.command("type")
def type_keys(reader: str, keys: str, url: Url = None) -> None:
    """Types at a reader's keypad: digits, # (enter), * (clear)."""
    _say(_call("POST", f"/sim/readers/{quote(reader)}/type", {"keys": keys}, url))


@app.command("drive-up")
def drive_up(lane: str, plate: str, url: Url = None) -> None:
    """Drives a car up to a lane."""
    _say(_call("POST", f"/sim/lanes/{quote(lane)}/drive-up", {"plate": plate}, url))


@app.command()
def replay(
    lane: str,
    ago: Annotated[float, typer.Option("--ago", help="Seconds by which it is stamped earlier; 0: the same bytes.")] = 0,
    url: Url = None,
) -> None:
    """Sends the last read of a lane's camera once more, as somebody would who recorded it."""
    _say(_call("POST", f"/sim/lanes/{quote(lane)}/replay", {"ago_s": ago}, url))


@app.command("set")
def set_point(device: str, point: str, value: str, url: Url = None) -> None:
    """Overrides a point (true, false, a number or a label); `null` gives it back to the physics."""
    _say(_call("POST", f"/sim/points/{quote(device)}/{quote(point)}", {"value": _value(value)}, url))


@app.command("input")
def set_input(device: str, name: str, state: str, url: Url = None) -> None:
    """Acts on a contact: on, off, open, closed; `null` lets go."""
    _say(_call("POST", f"/sim/inputs/{quote(device)}/{quote(name)}", {"state": _value(state)}, url))


@app.command()
def fault(
    device: str,
    name: str,
    seconds: Annotated[float | None, typer.Option("--for", help="Seconds; without it until `clear`.")] = None,
    url: Url = None,
) -> None:
    """Breaks a device; `faults` names what can be broken."""
    _say(_call("POST", "/sim/faults", {"device": device, "fault": name, "for_s": seconds}, url))


@app.command()
def clear(device: Annotated[str | None, typer.Argument()] = None, url: Url = None) -> None:
    """Takes all faults away, or those of one device."""
    _say(_call("DELETE", f"/sim/faults?device={quote(device)}" if device else "/sim/faults", None, url))


@app.command()
def faults(url: Url = None) -> None:
    """Which faults there are, which device can have which, and which are at work."""
    _say(_call("GET", "/sim/faults", None, url))


@app.command()
def rhythm(state: str, url: Url = None) -> None:
    """Lets people come and go (`on`) or not (`off`)."""
    if state not in ("on", "off"):
        raise typer.BadParameter("on or off is expected")
    _say(_call("POST", "/sim/rhythm", {"on": state == "on"}, url))


@app.command()
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
        typer.echo(f"nobody answers at {address}: {wrong}", err=True)
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
