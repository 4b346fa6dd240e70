"""Settings: what is missing or makes no sense is named before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.logs import set_up
from hub.settings import Settings, SettingsError, from_environment

URL = "postgresql://gatehouse@/gatehouse"

WRONG = [
    ({}, "DATABASE_URL is not set; expected postgresql://user@host/name"),
    ({"DATABASE_URL": URL, "GATEHOUSE_PORT": "eighty"}, "GATEHOUSE_PORT is 'eighty', expected int"),
    ({"DATABASE_URL": URL, "GATEHOUSE_SILENCE_S": "long"}, "GATEHOUSE_SILENCE_S is 'long', expected float"),
    ({"DATABASE_URL": URL, "GATEHOUSE_SECURE_COOKIES": "x"}, "GATEHOUSE_SECURE_COOKIES is 'x', expected 1 or 0"),
    ({"DATABASE_URL": URL, "GATEHOUSE_METRICS_FROM": "10.0.0.0/8, office"},
     "GATEHOUSE_METRICS_FROM: 'office' is no address and no range like 192.168.10.0/24"),
    ({"DATABASE_URL": URL, "GATEHOUSE_TRUSTED_PROXIES": "proxy"},
     "GATEHOUSE_TRUSTED_PROXIES: 'proxy' is no address and no range like 192.168.10.0/24"),
]  # fmt: skip


@pytest.mark.parametrize(("environment", "said"), WRONG)
def test_what_is_wrong_is_named(environment: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        from_environment(environment)
    assert str(refused.value) == said


def test_flags_come_before_the_environment() -> None:
    environment = {"DATABASE_URL": URL, "GATEHOUSE_PORT": "9000", "GATEHOUSE_SECURE_COOKIES": "true"}
    found = from_environment(environment, port=9001, host=None)
    assert (found.port, found.host, found.secure_cookies) == (9001, "127.0.0.1", True)


def test_the_brokers_password_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret\n")
    assert Settings(database_url=URL, broker_password_file=file).broker_password() == "secret"
    assert Settings(database_url=URL).broker_password() is None
    with pytest.raises(SettingsError, match="broker password file"):
        Settings(database_url=URL, broker_password_file=tmp_path / "none").broker_password()


@pytest.mark.parametrize(
    ("more", "goes"),
    [
        ({}, False),
        ({"broker_ca_file": Path("ca.pem")}, True),
        ({"broker_tls": True}, True),
        ({"broker_in_clear": True}, True),
        ({"broker_host": "localhost"}, True),
        ({"broker_host": "::1"}, True),
    ],
)
def test_the_brokers_password_does_not_go_in_clear_to_another_machine(
    tmp_path: Path, more: dict[str, Any], goes: bool
) -> None:
    file = tmp_path / "password"
    file.write_text("secret")
    given: dict[str, Any] = {"database_url": URL, "broker_password_file": file, "broker_host": "broker.example"} | more
    settings = Settings(**given)
    if goes:
        assert settings.broker_password() == "secret"
        return
    with pytest.raises(SettingsError, match=r"broker.example in clear: set GATEHOUSE_BROKER_CA_FILE"):
        settings.broker_password()


def test_an_unknown_log_level_is_named() -> None:
    with pytest.raises(ValueError, match="'loud', expected one of"):
        set_up("loud")
