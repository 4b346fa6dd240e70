"""What both locks pin is named whole, and an advisory about it is found without a network."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from deploy.advisories import concerns, main
from deploy.bill import Component, bill, components, node_components, python_components

LOCK = (
    "idna==3.10 \\\n    --hash=sha256:"
    + "a" * 64
    + " \\\n    --hash=sha256:"
    + "b" * 64
    + "\n# a word\nA_b.c==1.0rc1\n"
)


def test_a_python_lock_is_read_with_its_hashes() -> None:
    assert list(python_components(LOCK)) == [
        Component("PyPI", "idna", "3.10", (("SHA-256", "a" * 64), ("SHA-256", "b" * 64))),
        Component("PyPI", "a-b-c", "1.0rc1"),
    ]
    with pytest.raises(ValueError, match="package 1: expected NAME==VERSION"):
        list(python_components("idna>=3\n"))


def test_a_console_lock_is_read_with_scopes_and_what_only_builds() -> None:
    packages = {
        "": {"name": "console"},
        "node_modules/@vue/shared": {"version": "3.5.1", "integrity": "sha512-AAEC"},
        "node_modules/a/node_modules/b": {"version": "1.0.0", "dev": True},
    }
    assert list(node_components(json.dumps({"packages": packages}))) == [
        Component("npm", "@vue/shared", "3.5.1", (("SHA-512", "000102"),)),
        Component("npm", "b", "1.0.0", delivered=False),
    ]


def test_the_bill_names_every_package_of_both_locks_once_and_is_always_the_same() -> None:
    found = components()
    document = bill(found)
    parts: Any = document["components"]
    names = {part["purl"] for part in parts}
    assert len(names) == len(parts)
    assert any(purl.startswith("pkg:pypi/fastapi@") for purl in names)
    assert any(purl.startswith("pkg:npm/vue@") for purl in names)
    assert all(part["hashes"] for part in parts)
    assert document == bill(components())


def _advisory(name: str, ecosystem: str = "PyPI", **affected: Any) -> dict[str, Any]:
    return {
        "id": "X-1",
        "summary": "words",
        "affected": [{"package": {"name": name, "ecosystem": ecosystem}, **affected}],
    }


def _range(*events: dict[str, str], type: str = "ECOSYSTEM") -> dict[str, Any]:
    return {"ranges": [{"type": type, "events": list(events)}]}


@pytest.mark.parametrize(
    ("affected", "fixed"),
    [
        (_range({"introduced": "0"}, {"fixed": "3.11"}), "3.11"),
        (_range({"introduced": "0"}, {"fixed": "3.10"}), None),
        (_range({"introduced": "3.11"}), None),
        (_range({"introduced": "0"}, {"last_affected": "3.10"}), ""),
        (_range({"introduced": "0"}, {"last_affected": "3.9"}), None),
        (_range({"introduced": "0"}, {"fixed": "2.0"}, {"introduced": "3.0"}, {"fixed": "3.12"}), "3.12"),
        (_range({"introduced": "0"}, type="GIT"), None),
        ({"versions": ["3.10"]}, ""),
        ({"versions": ["3.9"]}, None),
    ],
)
def test_a_version_is_concerned_or_not(affected: dict[str, Any], fixed: str | None) -> None:
    found = list(concerns([Component("PyPI", "idna", "3.10")], [_advisory("idna", **affected)]))
    assert [each.fixed for each in found] == ([] if fixed is None else [fixed])


def test_names_are_compared_as_their_registry_does_and_withdrawn_ones_are_not_told() -> None:
    ours = [Component("PyPI", "a-b", "1.0"), Component("npm", "@vue/shared", "3.5.1")]
    always = _range({"introduced": "0"})
    assert [each.component.name for each in concerns(ours, [_advisory("A_b", **always)])] == ["a-b"]
    assert [each.component.name for each in concerns(ours, [_advisory("@vue/shared", "npm", **always)])] == [
        "@vue/shared"
    ]
    assert not list(concerns(ours, [_advisory("a-b", "npm", **always)]))
    assert not list(concerns(ours, [_advisory("a-b", **always) | {"withdrawn": "2026-01-01T00:00:00Z"}]))


def test_an_export_is_read_and_what_is_no_export_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export = tmp_path / "all.zip"
    with zipfile.ZipFile(export, "w") as archive:
        archive.writestr("X-1.json", json.dumps(_advisory("fastapi", **_range({"introduced": "0"}))))
    assert main([str(export)]) == 1
    assert "pkg:pypi/fastapi@" in capsys.readouterr().out
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"no zip")
    assert main([str(broken)]) == 2
    assert "not an export of OSV" in capsys.readouterr().err
