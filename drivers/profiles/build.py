"""From a profile's file to the profile: contradictions found, everything resolved. One table by protocol. Pure."""

from __future__ import annotations

from drivers.profiles.forms import camera, cjt188, dlt645, dlt698, line, mbus, modbus, mqtt, osdp
from drivers.profiles.forms.head import Fault
from drivers.profiles.profile import Profile
from drivers.profiles.schema import AnyFile


def faults(file: AnyFile) -> list[Fault]:
    """Everything in a file that the schema allows and that still cannot be meant."""
    match file:
        case modbus.ModbusFile():
            return list(modbus.faults(file))
        case mqtt.MqttFile():
            return list(mqtt.faults(file))
        case line.LineFile():
            return list(line.faults(file))
        case osdp.OsdpFile():
            return list(osdp.faults(file))
        case dlt645.Dlt645File():
            return list(dlt645.faults(file))
        case cjt188.Cjt188File():
            return list(cjt188.faults(file))
        case mbus.MbusFile():
            return list(mbus.faults(file))
        case dlt698.Dlt698File():
            return list(dlt698.faults(file))
        case camera.CameraFile():
            return list(camera.faults(file))
        case _:
            return []


def build(file: AnyFile) -> Profile:
    """The profile of a file without faults."""
    match file:
        case modbus.ModbusFile():
            return modbus.build(file)
        case mqtt.MqttFile():
            return mqtt.build(file)
        case line.LineFile():
            return line.build(file)
        case osdp.OsdpFile():
            return osdp.build(file)
        case dlt645.Dlt645File():
            return dlt645.build(file)
        case cjt188.Cjt188File():
            return cjt188.build(file)
        case mbus.MbusFile():
            return mbus.build(file)
        case dlt698.Dlt698File():
            return dlt698.build(file)
        case camera.CameraFile():
            return camera.build(file)
