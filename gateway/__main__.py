"""`python -m gateway`: the site's process; with a command, one of the installer's tools."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from contract.commandline import CommandLine, say
from gateway import memory
from gateway.installer import wanted
from gateway.settings import DEFAULT_PORT, DEFAULT_PUSH_PORT, Listening, Settings
from web.addresses import Network, networks

app = CommandLine()
if wanted(sys.argv[1:]):
    from gateway.installer.commands import add_tools

    add_tools(app)


@app.callback(
    invoke_without_command=True,
    help=say(
        "运行一个项目的网关：门、车道、设备和表计；断网照常工作。",
        "Run the gateway of one site: its doors, lanes, machines and meters, with or without a network.",
    ),
)
def main(
    context: typer.Context,
    *,
    site: Annotated[
        Path | None,
        typer.Option(
            help=say("项目配置：装了什么、装在哪里。", "The site file: what is installed where."),
            envvar="GATEHOUSE_SITE",
        ),
    ] = None,
    data: Annotated[
        Path,
        typer.Option(
            help=say("记录、读数和图片的文件夹。", "Folder of journal, readings and pictures."), envvar="GATEHOUSE_DATA"
        ),
    ] = Path("var/gateway"),
    wires: Annotated[
        Path | None,
        typer.Option(
            help=say(
                "各线路实际在哪里（JSON），优先于项目配置。",
                "Where each bus really is (JSON), over what the site file says.",
            )
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help=say("控制台的监听地址。", "Address of the console's web server."))
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help=say("控制台的端口；0 为任意。", "Port of the console's web server; 0: any."))
    ] = DEFAULT_PORT,
    certificate: Annotated[
        Path | None, typer.Option(help=say("PEM 文件：控制台的 TLS 证书。", "PEM file: TLS for the console."))
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help=say("PEM 文件：该证书的私钥。", "PEM file: the certificate's key."))
    ] = None,
    push_host: Annotated[
        str | None,
        typer.Option(
            help=say("相机推送的地址；不写则同控制台。", "Address that cameras push to; without it the console's.")
        ),
    ] = None,
    push_port: Annotated[
        int, typer.Option(help=say("相机推送的端口；0 为任意。", "Port that cameras push to; 0: any."))
    ] = DEFAULT_PUSH_PORT,
    push_certificate: Annotated[
        Path | None, typer.Option(help=say("PEM 文件：推送端口的 TLS 证书。", "PEM file: TLS for pushes."))
    ] = None,
    push_key: Annotated[
        Path | None, typer.Option(help=say("PEM 文件：该证书的私钥。", "PEM file: that certificate's key."))
    ] = None,
    pushes_at_console: Annotated[
        bool,
        typer.Option(
            "--pushes-at-console",
            help=say("控制台端口也接收推送（旧方式）。", "The console's port takes pushes too, as it did before."),
        ),
    ] = False,
    trusted_proxies: Annotated[
        str,
        typer.Option(
            help=say(
                "控制台前的代理，采信其 X-Forwarded-For：地址或网段，逗号分隔。",
                "Proxies before the console whose X-Forwarded-For counts: addresses, ranges, commas.",
            )
        ),
    ] = "",
    metrics_from: Annotated[
        str,
        typer.Option(
            help=say(
                "谁可以读 /metrics：地址或网段，逗号分隔。", "Who may read /metrics: addresses and ranges, with commas."
            )
        ),
    ] = "127.0.0.0/8,::1",
    log_level: Annotated[
        str,
        typer.Option(
            help=say("日志级别：debug、info、warning、error。", "debug, info, warning, error."),
            envvar="GATEHOUSE_LOG_LEVEL",
        ),
    ] = "info",
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help=say("检查项目配置及其引用的一切，然后退出。", "Validate the site file and everything it names; exit."),
        ),
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


@app.command(
    help=say(
        "重新生成应急账号的密码，仅显示这一次。",
        "Make the break-glass account anew and show its password, this once.",
    )
)
def seal(
    data: Annotated[
        Path,
        typer.Option(
            help=say("记录、读数和图片的文件夹。", "Folder of journal, readings and pictures."), envvar="GATEHOUSE_DATA"
        ),
    ] = Path("var/gateway"),
) -> None:
    """Make the break-glass account anew and show its password, this once."""
    os.umask(0o077)
    from gateway.break_glass import command  # noqa: PLC0415 - only here

    raise typer.Exit(command.run(data))


if __name__ == "__main__":
    app()
