"""What installers type and read: languages, lists, endpoints, site lines, times."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from contract.commandline import language_of
from contract.speech import Speech
from drivers.profiles.wording import number
from drivers.searching import Setting
from gateway.installer import wanted
from gateway.installer.scan.makers import maker
from gateway.installer.scan.probing import page_of
from gateway.installer.scan.sitelines import Place, lines, serial_bus, tcp_bus
from gateway.installer.scan.sweeps import PATIENT_S, USUAL, USUAL_S, patience, settings, silence_s
from gateway.installer.terminal.screen import plain
from gateway.installer.terminal.trouble import Trouble
from gateway.installer.terminal.typed import endpoint, hosts, numbers, parities, registers
from gateway.installer.terminal.wording import lasting


@pytest.mark.parametrize(
    ("arguments", "environ", "language"),
    [
        ([], {}, "zh"),
        ([], {"LANG": "C.UTF-8"}, "zh"),
        ([], {"LANG": "en_US.UTF-8"}, "en"),
        ([], {"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ([], {"LANG": "de_DE.UTF-8"}, "zh"),
        (["scan", "--lang", "en"], {"LANG": "zh_CN"}, "en"),
        (["scan", "--lang=zh"], {"LANG": "en_GB"}, "zh"),
        (["scan", "--lang"], {}, "zh"),
        (["scan", "--lang", "fr"], {}, "zh"),
    ],
)
def test_language(arguments: list[str], environ: dict[str, str], language: str) -> None:
    assert language_of(arguments, environ) == language


@pytest.mark.parametrize(
    ("arguments", "tools"),
    [
        (["--site", "x.yaml"], False),
        (["--site=x.yaml", "--check"], False),
        (["--site", "x.yaml", "--help"], True),
        ([], True),
        (["scan", "--port", "x"], True),
        (["read", "--site", "x.yaml", "pump-1"], True),
    ],
)
def test_a_gateway_in_service_loads_no_tools(arguments: list[str], tools: bool) -> None:
    assert wanted(arguments) is tools


@pytest.mark.parametrize(
    ("typed", "found"),
    [("1-3", [1, 2, 3]), ("5", [5]), ("0x10", [16]), ("3,1-2,1", [3, 1, 2]), (" 7 , 9 ", [7, 9])],
)
def test_numbers(typed: str, found: list[int]) -> None:
    assert numbers(typed, 1, 247, "--unit") == found


@pytest.mark.parametrize("typed", ["", "0", "248", "3-1", "a", "1-", "-", "1;2"])
def test_numbers_that_are_none(typed: str) -> None:
    with pytest.raises(Trouble, match="--unit"):
        numbers(typed, 1, 247, "--unit")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("192.168.10.5", ["192.168.10.5"]),
        ("192.168.10.20-22", ["192.168.10.20", "192.168.10.21", "192.168.10.22"]),
        ("192.168.10.0/30", ["192.168.10.1", "192.168.10.2"]),
        ("192.168.10.1,meter.local", ["192.168.10.1", "meter.local"]),
    ],
)
def test_hosts(typed: str, found: list[str]) -> None:
    assert hosts(typed) == found


@pytest.mark.parametrize("typed", ["", "10.0.0.0/8", "::/0", "300.1.1.1", "10.0.0.9-3", "10.0.0.0/19"])
def test_hosts_that_are_none_or_too_many(typed: str) -> None:
    with pytest.raises(Trouble):
        hosts(typed)


@pytest.mark.parametrize(
    ("typed", "found"),
    [("h:1", ("h", 1)), ("h", ("h", 502)), ("[::1]:5", ("::1", 5)), ("10.0.0.1:65535", ("10.0.0.1", 65535))],
)
def test_endpoint(typed: str, found: tuple[str, int]) -> None:
    assert endpoint(typed, 502) == found


@pytest.mark.parametrize("typed", ["", "h:0", "h:65536", "a b", "::1:5"])
def test_endpoint_that_is_none(typed: str) -> None:
    with pytest.raises(Trouble):
        endpoint(typed)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (["4366 E666"], [0x4366, 0xE666]),
        (["4366E666"], [0x4366, 0xE666]),
        (["0x4366,0xe666"], [0x4366, 0xE666]),
        (["9"], [9]),
    ],
)
def test_registers(typed: list[str], found: list[int]) -> None:
    assert registers(typed) == found


@given(st.text(max_size=30))
def test_whatever_is_typed_is_read_or_refused_in_words(typed: str) -> None:
    for reader in (registers_of, hosts, parities, endpoint):
        try:
            reader(typed)
        except Trouble as trouble:
            assert trouble.why.zh and trouble.why.en


def registers_of(typed: str) -> list[int]:
    return registers([typed])


def test_lines_of_a_site_file_read_back() -> None:
    bus = serial_bus("modbus-rtu", "/dev/ttyS1", Setting(19200, "E"))
    assert bus == {"kind": "modbus-rtu", "port": "/dev/ttyS1", "baud": 19200, "parity": "E"}
    places = [
        Place("p", "pump", {"unit": 1}),
        Place(None, "device", {"address": "000123456789"}, False),
        Place("q", "pump", {"unit": 2}),
    ]
    said = lines({"line-1": (bus, places)}, "look", taken=["pump-1"])
    read = yaml.safe_load("\n".join(said))
    assert read["buses"]["line-1"] == bus
    assert read["devices"] == {
        "pump-2": {"profile": "p", "bus": "line-1", "unit": 1},
        "device-1": {"profile": "???", "bus": "line-1", "address": "000123456789"},
        "pump-3": {"profile": "q", "bus": "line-1", "unit": 2},
    }
    assert said[-2].endswith("# look")


@given(
    st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\x85"), min_size=1, max_size=12
    )
)
def test_any_word_reads_back_as_itself(word: str) -> None:
    said = lines({"b": ({"kind": word}, [])}, "")
    assert yaml.safe_load("\n".join(said))["buses"]["b"]["kind"] == word


def test_what_is_usual_is_left_out() -> None:
    assert serial_bus("modbus-rtu", "/dev/ttyS1", Setting(9600)) == {"kind": "modbus-rtu", "port": "/dev/ttyS1"}
    assert serial_bus("meter-serial", "p", Setting(2400, "E")) == {"kind": "meter-serial", "port": "p"}
    assert tcp_bus("modbus-tcp", "10.0.0.1", 502) == {"kind": "modbus-tcp", "host": "10.0.0.1"}


def test_settings_are_those_asked_for_else_the_usual_ones() -> None:
    assert settings(None, None, 1) == [Setting(*pair) for pair in USUAL]
    assert settings([9600], ["N"], 2) == [Setting(9600, "N", 2)]
    assert settings([9600], None, 1) == [Setting(9600, "N"), Setting(9600, "E")]
    assert {each.parity for each in settings(None, ["O"], 1)} == {"O"}


def test_patience_is_long_where_little_is_asked() -> None:
    assert patience(10, None) == PATIENT_S
    assert patience(2000, None) == USUAL_S
    assert patience(2000, 0.2) == 0.2


def test_a_silence_is_the_request_on_the_wire_and_the_time_to_think() -> None:
    setting = Setting(9600)
    assert silence_s(setting, 8, 0.06) == pytest.approx(0.06 + (8 + 3 + 3.5) * 10 / 9600)


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (0.0123, "12 毫秒", "12 ms"),
        (4.56, "4.6 秒", "4.6 s"),
        (59.7, "1 分", "1 min"),
        (200, "3 分 20 秒", "3 min 20 s"),
        (7300, "2 小时 1 分", "2 h 1 min"),
    ],
)
def test_times(seconds: float, zh: str, en: str) -> None:
    assert (lasting(seconds, Speech("zh")), lasting(seconds, Speech("en"))) == (zh, en)


@pytest.mark.parametrize(
    ("value", "said"), [(0.0, "0"), (230.1, "230.1"), (1e9, "1.0000e+09"), (12, "12"), (1e-9, "1.0000e-09")]
)
def test_numbers_are_short(value: float, said: str) -> None:
    assert number(value) == said


def test_columns_stand_under_each_other_also_in_chinese() -> None:
    assert plain(["地址", "x"], [["1", "甲"], ["247", "b"]]) == ["地址  x", "1     甲", "247   b"]


def test_pages_of_web_servers() -> None:
    page = page_of(
        b'HTTP/1.1 401 Unauthorized\r\nServer: App-webs/\r\nWWW-Authenticate: Digest realm="IP Camera(12345)"\r\n\r\n'
    )
    assert page is not None
    assert page.said == "App-webs/ · IP Camera(12345)"
    found = maker(page.said)
    assert found is not None and "Hikvision" in found.en
    assert page_of(b"SSH-2.0-x\r\n") is None
    titled = page_of(b"HTTP/1.0 200 OK\r\n\r\n<html><title>\n Relay  board </title>")
    assert titled is not None and titled.title == "Relay board"
    assert maker("nginx") is None
