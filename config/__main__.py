"""`python -m config check FILE`, `python -m config schema`: for those who write site files."""

from __future__ import annotations

import json
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from config.load import load_site
from config.mistakes import SiteErrors
from config.people import load_people
from config.peoplefile import PeopleFile
from config.rulefile import RuleFile
from config.site import Site
from contract.commandline import CommandLine, say

app = CommandLine(no_args_is_help=True)


class Tongue(StrEnum):
    """Languages of the mistakes' words."""

    zh = "zh"
    en = "en"


class Kind(StrEnum):
    """Files that have a schema."""

    site = "site"
    rules = "rules"
    people = "people"


_MODELS: dict[Kind, type[BaseModel]] = {Kind.site: Site, Kind.rules: RuleFile, Kind.people: PeopleFile}


@app.command(
    help=say(
        "检查项目配置及其引用的一切；有错全部列出，退出码 1。",
        "Validate a site file with everything it names; exit 1 with every mistake.",
    )
)
def check(
    site: Annotated[Path, typer.Argument(help=say("项目配置。", "The site file."))],
    wires: Annotated[
        Path | None, typer.Option(help=say("各线路实际在哪里（JSON）。", "Where each bus really is (JSON)."))
    ] = None,
    people: Annotated[
        Path | None,
        typer.Option(help=say("人员文件：与项目的门、车道核对。", "A people file to check against the site's places.")),
    ] = None,
    language: Annotated[
        Tongue | None,
        typer.Option(
            "--language",
            "--lang",
            help=say("用哪种语言；默认按 LANG，否则两种都写。", "Language of the words; by LANG, else both."),
        ),
    ] = None,
) -> None:
    """Validate a site file with everything it names; exit 1 with every mistake."""
    tongues = [language] if language is not None else _tongues(os.environ.get("LC_ALL") or os.environ.get("LANG", ""))

    def tell(zh: str, en: str, *, err: bool = True) -> None:
        for tongue in tongues:
            typer.echo(zh if tongue is Tongue.zh else en, err=err)

    try:
        loaded = load_site(site, wires)
        found = None if people is None else load_people(people, places=loaded.site)
    except SiteErrors as error:
        tell(error.say("zh"), error.say("en"))
        tell(f"{len(error.mistakes)} 处错误", f"mistakes: {len(error.mistakes)}")
        raise typer.Exit(1) from None
    for remark in loaded.remarks:
        tell("注意：" + remark.say("zh"), "look at this: " + remark.say("en"))
    parts = loaded.site
    tell(
        f"{site}：没有错误。线路 {len(parts.buses)}，设备 {len(parts.devices)}，门 {len(parts.doors)}，"
        f"车道 {len(parts.lanes)}，表 {len(parts.meters)}，规则 {len(loaded.rules)}，指纹 {loaded.fingerprint}"
        + ("" if found is None else f"，人员条目 {len(found)}"),
        f"{site}: buses {len(parts.buses)}, devices {len(parts.devices)}, doors {len(parts.doors)}, "
        f"lanes {len(parts.lanes)}, meters {len(parts.meters)}, rules {len(loaded.rules)}, "
        f"fingerprint {loaded.fingerprint}" + ("" if found is None else f", people items {len(found)}"),
        err=False,
    )


def _tongues(locale: str) -> list[Tongue]:
    """What this machine's words are in; both where it does not say."""
    return [tongue for tongue in Tongue if locale.lower().startswith(tongue.value)] or list(Tongue)


@app.command(
    help=say(
        "打印 JSON Schema，供编辑器提示和补全。", "Print the JSON Schema that an editor needs to help with a file."
    )
)
def schema(
    kind: Annotated[Kind, typer.Argument(help=say("哪种文件的模式。", "Which file's schema."))] = Kind.site,
    out: Annotated[
        Path | None, typer.Option(help=say("写到这个文件，不打印。", "Write it here instead of printing it."))
    ] = None,
) -> None:
    """Print the JSON Schema that an editor needs to help with a file."""
    text = json.dumps(_MODELS[kind].model_json_schema(), ensure_ascii=False, indent=2) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    app()
