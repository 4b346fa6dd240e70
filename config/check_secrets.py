"""Whether a password would go over a network in clear: to the site's broker, to the hub's."""

from __future__ import annotations

from config.document import Place
from config.draft import Draft
from config.shape import mended
from config.site import Uplink
from contract.texts import Text
from drivers.mqtt.wires import MqttBus
from drivers.secrecy import Line, tells_secret_in_clear


def check_secrets(draft: Draft) -> None:
    """Remarks every line that the gateway will not open: doors do not wait until the file is right."""
    for id_, bus in draft.buses.items():
        if isinstance(bus, MqttBus):
            _line(draft, ("buses", id_), bus)
    if draft.document.at(("uplink",)) is not None:
        uplink, _ = mended(Uplink, draft.document, ("uplink",))
        if isinstance(uplink, Uplink):
            _line(draft, ("uplink",), uplink)


def _line(draft: Draft, place: Place, line: Line) -> None:
    if not tells_secret_in_clear(line):
        return
    words = Text(
        "密码会以明文发往别的机器，网关不连接：请写 ca_file（签发其证书的机构）或 tls: true；"
        "确认无人能窃听时写 in_clear: true",
        "the password would go to another machine in clear, so the gateway does not connect: name ca_file (the"
        " authority that signed its certificate) or tls: true, or in_clear: true where nobody else can listen",
    )
    draft.remark((*place, "host"), words, line.host)
