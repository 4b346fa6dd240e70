"""`python -m config check FILE`, `python -m config schema`: for those who write site files."""

from __future__ import annotations

import json
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

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


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


@app.command()
def check(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    wires: Annotated[Path | None, typer.Option(help="Where each bus really is (JSON).")] = None,
    people: Annotated[Path | None, typer.Option(help="A people file to check against the site's places.")] = None,
    language: Annotated[Tongue, typer.Option(help="Language of the mistakes' words.")] = Tongue.en,
) -> None:
    """Validate a site file with everything it names; exit 1 with every mistake."""
    try:
        loaded = load_site(site, wires)
        found = None if people is None else load_people(people, places=loaded.site)
    except SiteErrors as error:
        typer.echo(error.say(language.value), err=True)
        typer.echo(
            f"{len(error.mistakes)} 处错误" if language is Tongue.zh else f"mistakes: {len(error.mistakes)}", err=True
        )
        raise typer.Exit(1) from None
    for remark in loaded.remarks:
        typer.echo(("注意：" if language is Tongue.zh else "look at this: ") + remark.say(language.value), err=True)
    parts = loaded.site
    typer.echo(
        f"{site}: buses {len(parts.buses)}, devices {len(parts.devices)}, doors {len(parts.doors)}, "
        f"lanes {len(parts.lanes)}, meters {len(parts.meters)}, rules {len(loaded.rules)}, "
        f"fingerprint {loaded.fingerprint}" + ("" if found is None else f", people items {len(found)}")
    )


@app.command()
def schema(
    kind: Annotated[Kind, typer.Argument(help="Which file's schema.")] = Kind.site,
    out: Annotated[Path | None, typer.Option(help="Write it here instead of printing it.")] = None,
) -> None:
    """Print the JSON Schema that an editor needs to help with a file."""
    text = json.dumps(_MODELS[kind].model_json_schema(), ensure_ascii=False, indent=2) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    app()
