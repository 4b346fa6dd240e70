"""What the hub is told at its start: environment variables `GATEHOUSE_…`, DATABASE_URL, flags of the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from contract.hosts import this_machine
from hub.own_key import KeyFileError, own_key
from web.addresses import networks
from web.contact import contact_of


class SettingsError(ValueError):
    """A setting that is missing or makes no sense; the message names it and what was expected."""


@dataclass(frozen=True)
class Settings:
    """One hub process. Times in seconds, sizes in bytes or rows."""

    database_url: str
    host: str = "127.0.0.1"
    port: int = 8080
    certificate: Path | None = None
    certificate_key: Path | None = None
    """PEM files: the console speaks TLS itself, without a proxy before it."""
    broker_host: str = "127.0.0.1"
    broker_port: int = 1883
    broker_user: str | None = None
    broker_password_file: Path | None = None
    broker_ca_file: Path | None = None
    """Certificates to trust; given, the connection is TLS."""
    broker_tls: bool = False
    """TLS by the authorities that this machine trusts."""
    broker_in_clear: bool = False
    """The password may go to another machine without TLS."""
    console_dir: Path | None = None
    """The built console; None: the one inside the checkout, if it was built."""
    trusted_proxies: str = "127.0.0.1"
    """Addresses (with commas) whose X-Forwarded-For says where a request came from: sign-ins are counted by address."""
    metrics_from: str = "127.0.0.0/8,::1"
    """Who may read /metrics: addresses and ranges, with commas."""
    secure_cookies: bool = False
    """Behind TLS: cookies are sent over TLS only."""
    pool_size: int = 10
    handover_bytes: int = 32_000_000
    """Undecoded messages that may wait for the database; what comes beyond is dropped and sent again by its gateway."""
    group_events: int = 4000
    """Events that one transaction takes at the most."""
    silence_s: float = 45.0
    """Without a sign of life for so long, a gateway counts as lost."""
    key_file: Path = Path("var/hub.key")
    """The hub's own key, made at the first start: second factors follow from it. Under systemd in its state folder."""
    keep_pictures_days: int = 30
    """Pictures of cameras go after so many days; 0: they stay. A site's notice to people says the same figure."""
    keep_changes_days: int = 1095
    """Old and new values of edits go after so many days; 0: they stay. That there was a change stays in the history."""
    keep_numbers_days: int = 365
    """Plates and card numbers in the history of passages go after so many days; 0: they stay."""
    security_contact: str = ""
    """Whom to tell of a hole: a mail address or https: page for /.well-known/security.txt; empty: nobody is named."""
    log_level: str = "info"

    @property
    def broker_encrypted(self) -> bool:
        """Whether the connection to the broker is TLS."""
        return self.broker_tls or self.broker_ca_file is not None

    def own_key(self) -> bytes:
        """The key in the file, which is made if there is none; `SettingsError` if there is none to be had."""
        try:
            return own_key(self.key_file)
        except KeyFileError as error:
            raise SettingsError(str(error)) from error

    def broker_password(self) -> str | None:
        """The password in the file; `SettingsError` if it cannot be read, or would go in clear to another machine."""
        if self.broker_password_file is None:
            return None
        if not (self.broker_encrypted or self.broker_in_clear or this_machine(self.broker_host)):
            raise SettingsError(
                f"the password would go to the broker {self.broker_host} in clear: set GATEHOUSE_BROKER_CA_FILE (the"
                " authority that signed its certificate) or GATEHOUSE_BROKER_TLS=1, or GATEHOUSE_BROKER_IN_CLEAR=1"
                " where nobody else can listen"
            )
        try:
            return self.broker_password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"broker password file {self.broker_password_file}: {error}") from error


_FROM_ENVIRONMENT: dict[str, tuple[str, type]] = {
    "DATABASE_URL": ("database_url", str),
    "GATEHOUSE_HOST": ("host", str),
    "GATEHOUSE_PORT": ("port", int),
    "GATEHOUSE_CERTIFICATE": ("certificate", Path),
    "GATEHOUSE_CERTIFICATE_KEY": ("certificate_key", Path),
    "GATEHOUSE_BROKER_HOST": ("broker_host", str),
    "GATEHOUSE_BROKER_PORT": ("broker_port", int),
    "GATEHOUSE_BROKER_USER": ("broker_user", str),
    "GATEHOUSE_BROKER_PASSWORD_FILE": ("broker_password_file", Path),
    "GATEHOUSE_BROKER_CA_FILE": ("broker_ca_file", Path),
    "GATEHOUSE_BROKER_TLS": ("broker_tls", bool),
    "GATEHOUSE_BROKER_IN_CLEAR": ("broker_in_clear", bool),
    "GATEHOUSE_CONSOLE_DIR": ("console_dir", Path),
    "GATEHOUSE_TRUSTED_PROXIES": ("trusted_proxies", str),
    "GATEHOUSE_METRICS_FROM": ("metrics_from", str),
    "GATEHOUSE_SECURITY_CONTACT": ("security_contact", str),
    "GATEHOUSE_SECURE_COOKIES": ("secure_cookies", bool),
    "GATEHOUSE_POOL_SIZE": ("pool_size", int),
    "GATEHOUSE_SILENCE_S": ("silence_s", float),
    "GATEHOUSE_KEY_FILE": ("key_file", Path),
    "GATEHOUSE_KEEP_PICTURES_DAYS": ("keep_pictures_days", int),
    "GATEHOUSE_KEEP_CHANGES_DAYS": ("keep_changes_days", int),
    "GATEHOUSE_KEEP_NUMBERS_DAYS": ("keep_numbers_days", int),
    "GATEHOUSE_LOG_LEVEL": ("log_level", str),
}


def from_environment(environment: Mapping[str, str] | None = None, /, **flags: object) -> Settings:
    """Settings from the environment, a flag before its variable; `SettingsError` names what is wrong."""
    environment = os.environ if environment is None else environment
    found: dict[str, Any] = {}
    for variable, (name, kind) in _FROM_ENVIRONMENT.items():
        if text := environment.get(variable, ""):
            found[name] = _parsed(variable, text, kind)
    if "key_file" not in found and (folder := environment.get("STATE_DIRECTORY", "")):
        found["key_file"] = Path(folder.split(":")[0]) / "hub.key"
    found |= {name: value for name, value in flags.items() if value is not None}
    if not found.get("database_url"):
        raise SettingsError("DATABASE_URL is not set; expected postgresql://user@host/name")
    settings = replace(Settings(database_url=found.pop("database_url")), **found)
    for variable, text in (
        ("GATEHOUSE_TRUSTED_PROXIES", settings.trusted_proxies),
        ("GATEHOUSE_METRICS_FROM", settings.metrics_from),
    ):
        try:
            networks(text)
        except ValueError as error:
            raise SettingsError(f"{variable}: {error}") from error
    try:
        contact_of(settings.security_contact)
    except ValueError as error:
        raise SettingsError(f"GATEHOUSE_SECURITY_CONTACT: {error}") from error
    if (settings.certificate is None) != (settings.certificate_key is None):
        raise SettingsError("GATEHOUSE_CERTIFICATE and GATEHOUSE_CERTIFICATE_KEY belong together: both, or neither")
    for name in ("keep_pictures_days", "keep_changes_days", "keep_numbers_days"):
        if getattr(settings, name) < 0:
            raise SettingsError(f"GATEHOUSE_{name.upper()} is {getattr(settings, name)}, expected days, or 0 for ever")
    return settings


def _parsed(variable: str, text: str, kind: type) -> object:
    if kind is bool:
        if text.lower() not in {"0", "1", "true", "false"}:
            raise SettingsError(f"{variable} is {text!r}, expected 1 or 0")
        return text.lower() in {"1", "true"}
    try:
        return kind(text)
    except ValueError as error:
        raise SettingsError(f"{variable} is {text!r}, expected {kind.__name__}") from error
