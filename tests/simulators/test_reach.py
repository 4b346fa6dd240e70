"""From where a demo's console is reached: this machine alone unless somebody asks, and then over TLS."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

import pytest

from simulators.demo import reach
from simulators.demo.reach import EVERYWHERE, HERE, UnreachableHost, reach_of


def test_it_is_reached_from_this_machine_alone_and_in_clear(tmp_path: Path) -> None:
    assert (reach_of(HERE.host, tmp_path), HERE.scheme) == (HERE, "http")
    assert list(tmp_path.iterdir()) == []


def test_a_network_gets_tls_with_a_certificate_for_the_address_that_is_shown(tmp_path: Path) -> None:
    found = reach_of(EVERYWHERE, tmp_path / "tls")
    assert (found.host, found.scheme) == (EVERYWHERE, "https")
    assert found.certificate is not None
    assert found.key is not None
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(found.certificate, found.key)
    assert stat.S_IMODE(found.key.stat().st_mode) == 0o600
    names = ssl._ssl._test_decode_cert(str(found.certificate))["subjectAltName"]  # type: ignore[attr-defined]
    assert ("IP Address", found.shown) in names
    assert ("IP Address", "127.0.0.1") in names
    # Whoever has accepted it once is not asked again at the next start.
    before = found.certificate.read_bytes()
    assert reach_of(EVERYWHERE, tmp_path / "tls") == found
    assert found.certificate.read_bytes() == before


def test_a_certificate_that_is_about_to_end_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "LASTS_DAYS", 3)
    found = reach_of(EVERYWHERE, tmp_path)
    assert found.certificate is not None
    before = found.certificate.read_bytes()
    monkeypatch.undo()
    for _ in range(2):
        assert reach_of(EVERYWHERE, tmp_path) == found
        after = found.certificate.read_bytes()
        assert after != before
    assert reach_of(EVERYWHERE, tmp_path).certificate == found.certificate
    assert found.certificate.read_bytes() == after


@pytest.mark.parametrize("host", ["", "everywhere", "1.2.3", "0.0.0.0; rm -rf /", "::", "203.0.113.7", "224.0.0.1"])
def test_nonsense_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(UnreachableHost, match=r"HOST="):
        reach_of(host, tmp_path)
    assert list(tmp_path.iterdir()) == []
