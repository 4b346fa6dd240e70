"""`python -m gateway`: the site's process; with a command, one of the installer's tools."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway import memory
from gateway.installer import wanted
from gateway.settings import DEFAULT_PORT, DEFAULT_PUSH_PORT, Listening, Settings
from web.addresses import Network, networks

app = typer.Typer(add_completion=False, rich_markup_mode=None)
if wanted(sys.argv[1:]):
    from gateway.installer.commands import add_tools

    add_tools(app)


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    *,
    site: Annotated[
        Path | None, typer.Option(help="The site file: what is installed where.", envvar="GATEHOUSE_SITE")
    ] = None,
    data: Annotated[
        Path, typer.Option(help="Folder of journal, readings and pictures.", envvar="GATEHOUSE_DATA")
    ] = Path("var/gateway"),
    wires: Annotated[
        Path | None, typer.Option(help="Where each bus really is (JSON), over what the site file says.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address of the console's web server.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the console's web server; 0: any.")] = DEFAULT_PORT,
    certificate: Annotated[Path | None, typer.Option(help="PEM file: TLS for the console.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM file: the certificate's key.")] = None,
    push_host: Annotated[
        str | None, typer.Option(help="Address that cameras push to; without it the console's.")
    ] = None,
    push_port: Annotated[int, typer.Option(help="Port that cameras push to; 0: any.")] = DEFAULT_PUSH_PORT,
    push_certificate: Annotated[Path | None, typer.Option(help="PEM file: TLS for pushes.")] = None,
    push_key: Annotated[Path | None, typer.Option(help="PEM file: that certificate's key.")] = None,
    pushes_at_console: Annotated[
        bool, typer.Option("--pushes-at-console", help="The console's port takes pushes too, as it did before.")
    ] = False,
    trusted_proxies: Annotated[
        str, typer.Option(help="Proxies before the console whose X-Forwarded-For counts: addresses, ranges, commas.")
    ] = "",
    metrics_from: Annotated[
        str, typer.Option(help="Who may read /metrics: addresses and ranges, with commas.")
    ] = "127.0.0.0/8,::1",
    log_level: Annotated[str, typer.Option(help="debug, info, warning, error.", envvar="GATEHOUSE_LOG_LEVEL")] = "info",
    check: Annotated[
        bool, typer.Option("--check", help="Validate the site file and everything it names; exit.")
    ] = False,
) -> None:
    """Run the gateway of one site: its doors, lanes, machines and meters, with or without a network."""
    if context.invoked_subcommand is not None:
        return
    if site is None:
        context.fail("Missing option '--site' (env var: 'GATEHOUSE_SITE').")
    # Credentials and hashes of passwords lie in the gateway's folder.
    os.umask(0o077)
    memory.give_back()
    memory.keep_out()
    from gateway import service  # noqa: PLC0415 - --help need not load what only a running gateway needs

    settings = Settings(
        site=site,
        data=data,
        wires=wires,
        people=Listening(host, port, certificate, key),
        pushes=Listening(push_host or host, push_port, push_certificate, push_key),
        pushes_at_console=pushes_at_console,
        trusted_proxies=trusted_proxies,
        metrics_from=_networks(context, trusted_proxies, metrics_from),
        log_level=log_level,
    )
    raise typer.Exit(service.check(settings) if check else service.run(settings))


def _networks(context: typer.Context, trusted_proxies: str, metrics_from: str) -> tuple[Network, ...]:
    for option, text in (("--trusted-proxies", trusted_proxies), ("--metrics-from", metrics_from)):
        try:
            found = networks(text)
        except ValueError as wrong:
            context.fail(f"{option}: {wrong}")
    return found


@app.command()
def seal(
    data: Annotated[
        Path, typer.Option(help="Folder of journal, readings and pictures.", envvar="GATEHOUSE_DATA")
    ] = Path("var/gateway"),
) -> None:
    """Make the break-glass account anew and show its password, this once. 生成应急账号密码，仅显示一次。"""
    os.umask(0o077)
    from gateway.break_glass import command  # noqa: PLC0415 - only here

    raise typer.Exit(command.run(data))


if __name__ == "__main__":
    app()
