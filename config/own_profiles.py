"""Profiles that a site brings along, in folders beside its file: drafted ones, and products that nobody else has."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from config.document import Place
from config.draft import Draft
from config.mistakes import Mistake
from contract.texts import Text
from drivers.profiles.files import FOLDER, ProfileErrors, read
from drivers.profiles.profile import Profile

FILES_LIMIT = 2_000


@dataclass(slots=True)
class OwnProfiles:
    """What the folders hold, by id. `broken`: files whose mistakes are told already, by the id they should have."""

    profiles: dict[str, Profile] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)


def own_profiles(draft: Draft, path: Path) -> OwnProfiles:
    """The profiles in the folders that the site file at `path` names; adds every mistake."""
    own = OwnProfiles()
    files: dict[str, Path] = {file.stem: file for file in FOLDER.rglob("*.yaml")}
    names = draft.document.at(("profiles",))
    seen: set[Path] = set()
    for index, name in enumerate(names if isinstance(names, list) else []):
        place: Place = ("profiles", index)
        if not isinstance(name, str):
            continue
        folder = path.parent / name
        if folder in seen:
            draft.wrong(place, Text("同一文件夹只列一次", "a folder is listed once"))
        elif not folder.is_dir():
            draft.wrong(
                place,
                Text("没有这个文件夹（路径相对于项目配置）", "no such folder (paths are relative to the site file)"),
            )
        else:
            _read_folder(draft, place, folder, own, files)
        seen.add(folder)
    return own


def _read_folder(draft: Draft, place: Place, folder: Path, own: OwnProfiles, files: dict[str, Path]) -> None:
    found = sorted(folder.rglob("*.yaml"))
    if len(found) > FILES_LIMIT:
        draft.wrong(place, Text(f"文件过多（上限 {FILES_LIMIT}）", f"more than {FILES_LIMIT} files"))
        return
    for file in found:
        try:
            profile = read(file)
        except ProfileErrors as errors:
            own.broken.add(file.stem)
            draft.mistakes += told(errors)
            continue
        except OSError as error:
            own.broken.add(file.stem)
            words = Text(f"无法读取文件：{error.strerror}", f"cannot be read: {error.strerror}")
            draft.mistakes.append(Mistake(str(file), 1, "", "", words))
            continue
        first = files.setdefault(profile.id, file)
        if profile.id != file.stem:
            own.broken |= {profile.id, file.stem}
            words = Text(f"文件名应为 {profile.id}.yaml", f"the file must be called {profile.id}.yaml")
            draft.mistakes.append(Mistake(str(file), _line_of_id(file), "id", profile.id, words))
        elif first != file:
            words = Text(f"{first} 已有此编号", f"{first} already has this id")
            draft.mistakes.append(Mistake(str(file), _line_of_id(file), "id", profile.id, words))
        else:
            own.profiles[profile.id] = profile


def told(errors: ProfileErrors) -> list[Mistake]:
    """The mistakes of a profile file as those of a site file are told."""
    return [
        Mistake(str(each.file), each.line, each.place, "", Text(f"产品型号文件有误：{each.message}", each.message))
        for each in errors.mistakes
    ]


def _line_of_id(file: Path) -> int:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.startswith("id:")), 1)
