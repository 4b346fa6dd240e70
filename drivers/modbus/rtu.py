"""Modbus RTU as pymodbus carries it, on a serial line or through a serial-to-TCP converter: one shared wire each.

The answer to a request is looked for by `frames.RtuLine`; time is kept here. A unit is silent if nothing has come
`timeout_s` after the request has left the wire; an answer that has begun gets the time that its bytes need. Stray bytes
are thrown away before each request.
Source: Modbus over serial line V1.02, section 2.5.1.1 (silence of 3.5 characters; 1.75 ms above 19200 baud).
"""

from __future__ import annotations

import asyncio
import logging
import termios
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.framer import FramerRTU, FramerType
from pymodbus.pdu import DecodePDU, ModbusPDU

from drivers.connections import keep_alive, tear_down
from drivers.errors import FrameError, Silence, WireDown
from drivers.modbus import frames
from drivers.modbus.encode import Write
from drivers.tap import Tap

DEAD_AFTER = 5
"""Questions in a row after which a converter that has not said a byte is dialled again."""

SLACK_S = 0.05
"""Adapters hand bytes over in portions: an answer that has begun has ended if nothing more comes for so long."""

TICK_S = 0.001
"""How exact the timers of event loops are: for the last piece of a wait others are let run, and no timer is set."""

Client = AsyncModbusSerialClient | AsyncModbusTcpClient


class _Pdu(ModbusPDU):
    """A PDU whose data is left as it is, asked or answered."""

    def __init__(self, unit: int, pdu: bytes) -> None:
        super().__init__(dev_id=unit)
        self.function_code = pdu[0]
        self.pdu = pdu

    def encode(self) -> bytes:
        """What follows the function code."""
        return self.pdu[1:]


class LineFramer(FramerRTU):
    """Lets pymodbus find answers as `line` does."""

    MAX_SIZE = 1024

    def __init__(self, decoder: DecodePDU, line: frames.RtuLine, tap: Tap) -> None:
        super().__init__(decoder)
        self._line = line
        self._tap = tap
        self._shown = 0
        """So many of the bytes that were not used yet the tap knows: each time all of them come again."""

    def buildFrame(self, message: ModbusPDU) -> bytes:  # noqa: N802
        """Called by pymodbus before it sends, and forgets what was not used."""
        self._shown = 0
        return super().buildFrame(message)

    def handleFrame(self, data: bytes, exp_devid: int, exp_tid: int) -> tuple[int, ModbusPDU | None]:  # noqa: N802
        """Called by pymodbus with all that has come and was not used yet."""
        if self._tap.on:
            self._tap.came(data[self._shown :])
        used, frame = self._line.look(data)
        self._shown = len(data) - used
        return used, None if frame is None else _Pdu(frame[0], frame[1:-2])


class _Silent(ModbusException):
    """The time is over: told to pymodbus in place of an answer."""


class Line(NamedTuple):
    """How a line is set. `guards`: its units, and the seconds of silence that each needs before a request.

    `settle_s`: for so long after it was opened nothing is asked: what was asked before may still be answered.
    `on_stray` gets frames that nobody waited for.
    """

    baud: int
    parity: str
    stop_bits: int
    guards: Mapping[int, float]
    settle_s: float
    on_stray: Callable[[bytes], None]


class RtuWire:
    """A serial line, opened for this process alone.

    Between any two frames there is silence of 3.5 characters, or of what the unit that is asked needs if longer.
    """

    serial = True

    def __init__(self, name: str, line: Line, tap: Tap | None = None) -> None:
        self.name = name
        self.line = frames.RtuLine(frozenset(line.guards), line.on_stray)
        self.tap = tap or Tap()
        self._set = line
        self._character_s = (9 + (line.parity != "N") + line.stop_bits) / line.baud
        self._silence_s = 3.5 * self._character_s if line.baud <= 19200 else 0.00175
        self._portion_s = SLACK_S + 8 * self._character_s
        self._client: Client | None = None
        self._timer: asyncio.TimerHandle
        """When it is asked whether an answer is coming; only of the exchange that is going on."""
        self._quiet_since = 0.0
        self._first_at = 0.0
        self._heard = False
        self._unheard = 0
        # pymodbus logs every silence as an error; silences are counted and told by the bus.
        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

    # --- The wire itself

    @property
    def connected(self) -> bool:
        """Whether it is open."""
        return self._client is not None and self._client.connected

    async def open(self, timeout_s: float) -> None:
        """Opens it; raises `WireDown` in plain words."""
        self.close()
        client = self._dialled(timeout_s)
        client.ctx.framer = LineFramer(client.ctx.framer.decoder, self.line, self.tap)
        client.ctx.max_buffer_size = LineFramer.MAX_SIZE
        try:
            opened = await client.connect()
        except (OSError, termios.error, ModbusException, ValueError) as wrong:
            raise WireDown(f"{self.name} cannot be opened: {wrong}") from wrong
        if not opened:
            raise WireDown(f"{self.name} cannot be opened")
        self._client = client
        self.line.echoes = None
        self._unheard = 0
        self._first_at = time.monotonic() + self._set.settle_s
        self._opened(client)

    def close(self) -> None:
        """Closes it; harmless if it is not open. What was not sent by then is never sent."""
        client, self._client = self._client, None
        if client is not None:
            self._throw_away(client)
            client.close()

    def ready_at(self, unit: int) -> float:
        """The moment (of the loop's clock) from which the unit may be asked."""
        return max(self._first_at, self._quiet_since + max(self._silence_s, self._set.guards.get(unit, 0.0)))

    def can_confirm(self, write: Write) -> bool:
        """Whether the answer to a write could be told from an echo of the write; if not, a read settles it."""
        return self.line.echoes is not None or write.fc not in {5, 6}

    # --- Exchanges

    async def read(self, unit: int, fc: int, start: int, size: int, timeout_s: float) -> bytes:
        """The registers (or packed bits). Raises `Silence`, `WireDown`, `Refused`, `FrameError`."""
        return await self._exchange(unit, frames.read_pdu(fc, start, size), timeout_s)

    async def write(self, unit: int, write: Write, timeout_s: float) -> None:
        """Returns when the unit has confirmed. Raises as `read` does."""
        await self._exchange(unit, frames.write_pdu(write), timeout_s)

    async def _exchange(self, unit: int, pdu: bytes, timeout_s: float) -> bytes:
        client = self._client
        if client is None:
            raise WireDown(f"{self.name} is not open")
        loop = asyncio.get_running_loop()
        # Whoever asks waits for `ready_at` beforehand; an answer that came just now is given its silence here.
        while (wait_s := self.ready_at(unit) - time.monotonic()) > 0:  # noqa: ASYNC110 - nothing sets an event
            await asyncio.sleep(wait_s - TICK_S if wait_s > 2 * TICK_S else 0)
        if client.ctx.transport is None or client.ctx.transport.is_closing():
            raise WireDown(f"{self.name} was closed by the other end")
        self._drain(client)
        request = frames.rtu(unit, pdu)
        self.line.ask(request)
        self._heard = False
        self._unheard += 1
        begins_s = len(request) * self._character_s + timeout_s
        whole_s = begins_s + (len(request) + frames.RTU_LIMIT) * self._character_s + SLACK_S
        self._timer = loop.call_later(begins_s, self._look, client, time.monotonic() + whole_s)
        client.ctx.comm_params.timeout_connect = whole_s + 1.0
        try:
            answer = await client.execute(False, _Pdu(unit, pdu))
        except ConnectionException as gone:
            raise WireDown(f"{self.name} was closed by the other end") from gone
        except ModbusException as nothing:
            if self._unheard >= DEAD_AFTER:
                self._dead()
            raise Silence(f"unit {unit} did not answer within {timeout_s:g} s") from nothing
        finally:
            self._timer.cancel()
            self.line.rest(heard=self._heard)
        assert isinstance(answer, _Pdu)
        try:
            return frames.body(pdu, answer.pdu)
        except FrameError as wrong:
            raise FrameError(f"{self.name}, unit {unit}: {wrong}", wrong.raw) from wrong

    def _look(self, client: Client, latest: float) -> None:
        """Time for an answer to have begun: it is over unless bytes are coming (the echo of the request is none)."""
        future = client.ctx.response_future
        if future.done() or not self.line.awaiting:
            return
        now = time.monotonic()
        if self._heard and now - self._quiet_since < self._portion_s and now < latest:
            self._timer = asyncio.get_running_loop().call_later(self._portion_s, self._look, client, latest)
        else:
            future.set_exception(_Silent("silence"))

    def _trace(self, sending: bool, data: bytes) -> bytes:
        self._quiet_since = time.monotonic()
        if not sending:
            self._heard = True
            self._unheard = 0
        elif self.tap.on:
            self.tap.sent(data)
        return data

    def _connection(self, connected: bool) -> None:
        """pymodbus lets a request wait out its time when the connection breaks: it is told at once instead."""
        client = self._client
        if not connected and client is not None and not client.ctx.response_future.done():
            client.ctx.response_future.set_exception(ConnectionException("closed"))

    # --- What a converter does differently

    def _dialled(self, timeout_s: float) -> Client:
        return AsyncModbusSerialClient(
            self.name,
            baudrate=self._set.baud,
            parity=self._set.parity,
            stopbits=self._set.stop_bits,
            timeout=timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._trace,
            trace_connect=self._connection,
        )

    def _opened(self, client: Client) -> None:
        """A serial port needs no more."""

    def _drain(self, client: Client) -> None:
        port = getattr(client.ctx.transport, "sync_serial", None)
        if port is not None:
            try:
                port.reset_input_buffer()
            except (OSError, termios.error) as gone:
                raise WireDown(f"{self.name} is gone: {gone}") from gone

    def _throw_away(self, client: Client) -> None:
        """pymodbus empties its own buffer when it closes a port."""

    def _dead(self) -> None:
        """A port that is there is not opened again because its units are silent."""


class RtuTcpWire(RtuWire):
    """A converter that passes the bytes of an RTU line through, dialled over TCP.

    A silent unit does not cost the connection: late answers are told apart as on a serial line, also after the
    connection was made anew, because converters keep bytes. If nothing at all comes for `DEAD_AFTER` questions, the
    converter itself may have lost the connection: it is dialled again.
    """

    def __init__(self, host: str, port: int, line: Line, tap: Tap | None = None) -> None:
        super().__init__(f"{host}:{port}", line, tap)
        self._host = host
        self._port = port

    def _dialled(self, timeout_s: float) -> Client:
        return AsyncModbusTcpClient(
            self._host,
            port=self._port,
            framer=FramerType.RTU,
            timeout=timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._trace,
            trace_connect=self._connection,
        )

    def _opened(self, client: Client) -> None:
        keep_alive(client.ctx.transport)

    def _drain(self, client: Client) -> None:
        """What has come was handed over already; pymodbus forgets it when it sends."""

    def _throw_away(self, client: Client) -> None:
        if client.ctx.transport is not None:
            tear_down(client.ctx.transport)

    def _dead(self) -> None:
        self.close()
