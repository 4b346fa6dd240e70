"""`python -m gateway`: the site's process; with a command, one of the installer's tools."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway import lean
from gateway.settings import DEFAULT_PORT, Settings
from gateway.tools import wanted

app = typer.Typer(add_completion=False, rich_markup_mode=None)
if wanted(sys.argv[1:]):
    from gateway.tools.commands import add_tools

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
    host: Annotated[str, typer.Option(help="Address of the gateway's own web server.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the gateway's own web server; 0: any.")] = DEFAULT_PORT,
    certificate: Annotated[Path | None, typer.Option(help="PEM file: TLS for the web server.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM file: the certificate's key.")] = None,
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
    lean.give_back()
    lean.keep_out()
    from gateway import service  # noqa: PLC0415 - --help need not load what only a running gateway needs

    settings = Settings(
        site=site,
        data=data,
        wires=wires,
        host=host,
        port=port,
        certificate=certificate,
        key=key,
        log_level=log_level,
    )
    raise typer.Exit(service.check(settings) if check else service.run(settings))


if __name__ == "__main__":
    app()
