"""The shape of a profile file: what a product is, said in a closed set of words. Pure.

Each protocol's file is described in `forms`, the words that they share in `words`; the files are read in `files`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from drivers.profiles.forms.camera import CameraFile
from drivers.profiles.forms.cjt188 import Cjt188File
from drivers.profiles.forms.dlt645 import Dlt645File
from drivers.profiles.forms.dlt698 import Dlt698File
from drivers.profiles.forms.line import LineFile
from drivers.profiles.forms.mbus import MbusFile
from drivers.profiles.forms.modbus import ModbusFile
from drivers.profiles.forms.mqtt import MqttFile
from drivers.profiles.forms.osdp import OsdpFile

AnyFile = ModbusFile | LineFile | MqttFile | CameraFile | OsdpFile | Dlt645File | Cjt188File | MbusFile | Dlt698File
ProfileFile = Annotated[AnyFile, Field(discriminator="protocol")]
