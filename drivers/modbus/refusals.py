"""What the exceptions of Modbus mean, in plain words. Pure.

Source: Modbus application protocol V1.1b3, section 7.
"""

from __future__ import annotations

UNREACHABLE = frozenset({10, 11})
"""Exceptions of a converter whose unit is silent: no answer of the unit."""

_REASONS: dict[int, tuple[str, str]] = {
    1: ("the device does not know this function", "设备不支持该功能"),
    2: ("the device has no such address", "设备没有该地址"),
    3: ("the device does not take this value", "设备不接受该数值"),
    4: ("the device reports a fault of its own", "设备内部故障"),
    5: ("the device has not finished yet", "设备尚未完成"),
    6: ("the device is busy", "设备正忙"),
    10: ("the converter has no way to the device", "转换器无法连到设备"),
    11: ("the device behind the converter does not answer", "转换器后面的设备没有应答"),
}


def reason(code: int) -> tuple[str, str]:
    """An exception in English and in Chinese."""
    return _REASONS.get(code, (f"exception {code}", f"异常 {code}"))
