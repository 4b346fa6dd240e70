"""A password that would go over a network in clear is remarked on, and what to set is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import load_site
from tests.config.sites import SITE, instead

REMOTE = "{kind: mqtt, host: broker.example, username: gateway, password_file: p}"
UPLINK = "uplink: {host: hub.example, username: gw, password_file: p%s}\nbuses:"


def where(folder: Path, text: str) -> list[str]:
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return [remark.where for remark in load_site(path).remarks]


@pytest.mark.parametrize(
    ("line", "remarked"),
    [
        (REMOTE, True),
        (REMOTE.replace("}", ", tls: true}"), False),
        (REMOTE.replace("}", ", ca_file: ca.pem}"), False),
        (REMOTE.replace("}", ", in_clear: true}"), False),
        (REMOTE.replace("broker.example", "localhost"), False),
        (REMOTE.replace("broker.example", '"::1"'), False),
        (REMOTE.replace("broker.example", "127.9.9.9"), False),
        (REMOTE.replace("broker.example", "192.168.10.2"), True),
        ("{kind: mqtt, host: broker.example}", False),
    ],
)
def test_the_sites_broker(tmp_path: Path, line: str, remarked: bool) -> None:
    text = instead("{kind: mqtt, host: 127.0.0.1}", line, SITE)
    assert where(tmp_path, text) == (["buses.site-broker.host"] if remarked else [])


@pytest.mark.parametrize(("more", "remarked"), [("", True), (", ca_file: ca.pem", False), (", in_clear: true", False)])
def test_the_hubs_broker(tmp_path: Path, more: str, remarked: bool) -> None:
    text = instead("buses:", UPLINK % more, SITE)
    assert where(tmp_path, text) == (["uplink.host"] if remarked else [])
