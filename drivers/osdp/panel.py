"""libosdp's control panel for one reader: the only place that touches the library (release 3.2, dicts in and out).

Each reader has a panel of its own, so that its key and how it is to be spoken to can change while the others go on;
who may speak on the shared line is decided in `drivers.osdp.line`. What had to be got round in the library:

* its receiver forgets a frame that comes in two reads: it is handed whole frames only;
* a reader that went silent is left alone for 300 s: `begin_again` makes it try at once;
* its challenges come from `rand()`, which nobody seeds: they would be the same after each start, and a recorded
  session with a card in it could be played back to the gateway. `step` seeds it from the system before each attempt;
* its clock is the wall clock: after a step back it stands still until that time has come again (see `Reader`);
* an event's dict is never freed: it is emptied here.
"""

from __future__ import annotations

import ctypes
import secrets
from collections.abc import Callable
from typing import Final, Literal

import osdp_sys  # type: ignore[import-not-found]
import structlog

from drivers.osdp import codec
from drivers.osdp.meaning import CAPABILITIES, Message, Online, Secured, Told, told

log = structlog.get_logger(__name__)

osdp_sys.set_loglevel(osdp_sys.LOG_EMERG)

Mode = Literal["secure", "plain", "install"]
"""`secure`: with this key or not at all. `plain`: no secure channel. `install`: by the default key, to set this one."""

STEPS: Final = 5
"""The library's states between an answer and the next question."""

_LIBC = ctypes.CDLL(None)


class _Channel:
    """The wire as the library sees it: whole frames in, whole frames out."""

    id = 0

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self.heard = b""
        self.sent = 0
        self.asked = 0
        self._send = send

    def read(self, most: int) -> bytes:
        frame, self.heard = self.heard, b""
        return frame

    def write(self, data: bytes) -> int:
        self.asked = _code(data)
        self.sent += 1
        self._send(data)
        return len(data)

    def flush(self) -> None:
        self.heard = b""


class Panel:
    """One reader's end at the gateway. Not for two threads: everything happens in `step`, and calls `report`."""

    def __init__(
        self,
        address: int,
        mode: Mode,
        key: bytes | None,
        *,
        send: Callable[[bytes], None],
        report: Callable[[Told], None],
    ) -> None:
        self.mode = mode
        self.key = key
        self.online = False
        self.gave_up = False
        self.secure = False
        self.answered = 0
        """Code of the last reply to what `asked` says; 0 while there was none."""
        self._channel = _Channel(send)
        self._report = report
        self._quiet = False
        flags = osdp_sys.FLAG_ENABLE_NOTIFICATION | (osdp_sys.FLAG_ENFORCE_SECURE if mode == "secure" else 0)
        self._library = osdp_sys.ControlPanel(
            [{"name": f"{address}", "address": address, "flags": flags, "scbk": key, "channel": self._channel}]
        )
        self._library.set_event_callback(self._told)

    @property
    def asked(self) -> int:
        """Code of the last command that went out."""
        return self._channel.asked

    def take(self, frame: codec.Frame) -> None:
        """The reader's answer; nothing is sent yet."""
        self.answered = frame.code
        self._channel.heard = frame.raw
        self._library.refresh()

    def step(self) -> bool:
        """Lets the library go on until it has said something; whether it did."""
        if not self.secure:
            _LIBC.srand(secrets.randbits(32))
        sent = self._channel.sent
        for _ in range(STEPS):
            self._library.refresh()
            if self._channel.sent != sent:
                self.answered = 0
                return True
            if self.gave_up:
                return False
        return False

    def begin_again(self) -> None:
        """After it gave up: the next step asks the reader who it is."""
        self._quiet = True
        self._library.disable_pd(0)
        self._library.refresh()
        self._library.enable_pd(0)
        self._quiet = False
        self.gave_up = self.online = self.secure = False

    def can(self, command: Message) -> bool:
        """Whether the reader said that it understands such a command."""
        capability = CAPABILITIES.get(command["command"])
        return capability is None or self.items(capability) > 0

    def items(self, capability: int) -> int:
        """How many of something (inputs, outputs, lamps) the reader has; 0 if it said nothing of it."""
        level, items = self._library.check_capability(0, capability)
        return max(items, 1) if level else 0

    def submit(self, command: Message) -> bool:
        """Gives the library a command for the reader; False if it does not take it."""
        return bool(self._library.submit_command(0, command))

    def _told(self, _reader: int, event: Message) -> int:
        try:
            said = None if self._quiet else told(event)
            match said:
                case Online(online):
                    self.online, self.gave_up = online, not online
                case Secured(active, default_key):
                    self.secure = active and not default_key
            if said is not None:
                self._report(said)
        except Exception:  # inside the library's callback it would surface in some other call
            log.exception("an event of a reader could not be handed over")
        event.clear()
        return 0


def _code(data: bytes) -> int:
    """The command in a frame that the library built, without checking it again."""
    at = data.index(codec.SOM) + 5
    return data[at + data[at]] if data[at - 1] & 0x08 else data[at]
