"""One Modbus wire as pymodbus carries it: opened, asked, closed. No retries and no schedule: that is the bus.

After a silence a TCP connection is torn down, so that nothing late can arrive on the next one and nothing unsent goes
out when the network comes back; transaction numbers go on counting from one connection to the next. On a serial line
stray bytes are thrown away before each request.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
import termios
from collections.abc import Callable
from typing import Protocol

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from drivers.errors import DriverError, FrameError
from drivers.modbus.encode import Write
from drivers.modbus.frames import ANSWERS, RawCoil, RtuFramer, TcpFramer, body_size, expected

_READ_REQUESTS: dict[int, type[ModbusPDU]] = {
    1: ReadCoilsRequest,
    2: ReadDiscreteInputsRequest,
    3: ReadHoldingRegistersRequest,
    4: ReadInputRegistersRequest,
}


class Silence(DriverError):
    """No answer within the time given."""


class WireDown(DriverError):
    """The wire itself is not there: not connected, refused, unplugged."""


class Refused(DriverError):
    """The unit answered that it will not. `code`: the Modbus exception."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code}")
        self.code = code


class Wire(Protocol):
    """What the bus needs of a wire. One exchange at a time."""

    name: str
    serial: bool
    """Whether answers carry no transaction number."""

    @property
    def connected(self) -> bool:
        """Whether it is open."""

    async def open(self, timeout_s: float) -> None:
        """Opens it; raises `WireDown` in plain words."""

    def close(self) -> None:
        """Closes it; harmless if it is not open."""

    async def read(self, unit: int, fc: int, start: int, size: int, timeout_s: float) -> bytes:
        """The registers (or packed bits). Raises `Silence`, `WireDown`, `Refused`, `FrameError`."""

    async def write(self, unit: int, write: Write, timeout_s: float) -> None:
        """Returns when the unit has confirmed. Raises as `read` does."""


class _PymodbusWire:
    """What both wires have in common: pymodbus' client under our own rules."""

    serial = False

    def __init__(self, name: str) -> None:
        self.name = name
        self._client: AsyncModbusTcpClient | AsyncModbusSerialClient | None = None
        self._waiting = False
        self._unanswered = False
        # pymodbus logs every silence as an error; silences are counted and told by the bus.
        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

    @property
    def connected(self) -> bool:
        """Whether it is open."""
        return self._client is not None and self._client.connected

    async def open(self, timeout_s: float) -> None:
        """Opens it; raises `WireDown` in plain words."""
        self.close()
        client = self._dialled(timeout_s)
        for answer in ANSWERS:
            client.register(answer)
        try:
            opened = await client.connect()
        except (OSError, termios.error, ModbusException, ValueError) as wrong:
            raise WireDown(f"{self.name} cannot be opened: {wrong}") from wrong
        if not opened:
            raise WireDown(f"{self.name} cannot be opened")
        self._client = client
        self._unanswered = False
        self._opened(client)

    def close(self) -> None:
        """Closes it; harmless if it is not open."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def read(self, unit: int, fc: int, start: int, size: int, timeout_s: float) -> bytes:
        """The registers (or packed bits). Raises `Silence`, `WireDown`, `Refused`, `FrameError`."""
        request = _READ_REQUESTS[fc](dev_id=unit, address=start, count=size)
        answer = await self._exchange(request, size, timeout_s)
        data: bytes = getattr(answer, "data", b"")
        if len(data) != body_size(fc, size):
            raise FrameError(f"{self.name}, unit {unit}: {body_size(fc, size)} bytes asked, {len(data)} came", data)
        return data

    async def write(self, unit: int, write: Write, timeout_s: float) -> None:
        """Returns when the unit has confirmed. Raises as `read` does."""
        request = _write_request(unit, write)
        answer = await self._exchange(request, 1, timeout_s)
        same = answer.address == write.address and _echoes(answer, write)
        if not same:
            raise FrameError(f"{self.name}, unit {unit}: another write was confirmed than asked")

    async def _exchange(self, request: ModbusPDU, count: int, timeout_s: float) -> ModbusPDU:
        client = self._client
        if client is None:
            raise WireDown(f"{self.name} is not open")
        await self._before(request, count)
        client.ctx.comm_params.timeout_connect = timeout_s
        self._waiting = self._unanswered = True
        try:
            answer: ModbusPDU = await client.execute(False, request)
            self._unanswered = False
        except ConnectionException as gone:
            raise WireDown(f"{self.name} was closed by the other end") from gone
        except ModbusException as nothing:
            raise Silence(f"unit {request.dev_id} did not answer within {timeout_s:g} s") from nothing
        finally:
            self._waiting = False
            self._after()
        if isinstance(answer, ExceptionResponse):
            if answer.function_code != request.function_code | 0x80:
                raise FrameError(f"{self.name}, unit {request.dev_id}: the exception is another function's")
            raise Refused(answer.exception_code)
        if (answer.dev_id, answer.function_code) != (request.dev_id, request.function_code):
            raise FrameError(f"{self.name}, unit {request.dev_id}: the answer is another unit's or function's")
        if answer.transaction_id != request.transaction_id:
            raise FrameError(f"{self.name}, unit {request.dev_id}: the answer is another transaction's")
        return answer

    def _connection(self, connected: bool) -> None:
        """pymodbus lets a request wait out its time when the connection breaks: it is told at once instead."""
        client = self._client
        if not connected and self._waiting and client is not None and not client.ctx.response_future.done():
            client.ctx.response_future.set_exception(ConnectionException("closed"))

    def _dialled(self, timeout_s: float) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
        raise NotImplementedError

    def _opened(self, client: AsyncModbusTcpClient | AsyncModbusSerialClient) -> None: ...

    async def _before(self, request: ModbusPDU, count: int) -> None: ...

    def _after(self) -> None: ...


class TcpWire(_PymodbusWire):
    """A Modbus TCP endpoint. `on_refused` gets bytes that are no Modbus answer."""

    def __init__(self, host: str, port: int, on_refused: Callable[[bytes], None]) -> None:
        super().__init__(f"{host}:{port}")
        self._host = host
        self._port = port
        self._on_refused = on_refused
        self._transaction = 0

    def close(self) -> None:
        """Closes the connection and remembers its last transaction number.

        A closed socket still sends what the network has not taken: a pulse would go out whenever that comes back.
        """
        client = self._client
        if client is not None:
            self._transaction = client.ctx.next_tid
            if self._unanswered and client.ctx.transport is not None:
                _tear_down(client.ctx.transport)
        super().close()

    def _dialled(self, timeout_s: float) -> AsyncModbusTcpClient:
        client = AsyncModbusTcpClient(
            self._host,
            port=self._port,
            timeout=timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_connect=self._connection,
        )
        client.ctx.framer = TcpFramer(client.ctx.framer.decoder, self._on_refused)
        return client

    def _opened(self, client: AsyncModbusTcpClient | AsyncModbusSerialClient) -> None:
        client.ctx.next_tid = self._transaction


class RtuWire(_PymodbusWire):
    """A serial line, opened for this process alone. `on_stray` gets frames that nobody waited for.

    Between any two frames there is silence of 3.5 characters (1.75 ms above 19200 baud), or of `guard_s` if longer.
    """

    serial = True

    def __init__(
        self,
        port: str,
        *,
        baud: int,
        parity: str,
        stop_bits: int,
        units: frozenset[int],
        guard_s: float,
        on_stray: Callable[[bytes], None],
    ) -> None:
        super().__init__(port)
        self._baud = baud
        self._parity = parity
        self._stop_bits = stop_bits
        self._units = units
        self._on_stray = on_stray
        character_s = (9 + (parity != "N") + stop_bits) / baud
        self._guard_s = max(guard_s, 3.5 * character_s if baud <= 19200 else 0.00175)
        self._quiet_since = 0.0
        self._framer: RtuFramer | None = None

    def _dialled(self, timeout_s: float) -> AsyncModbusSerialClient:
        client = AsyncModbusSerialClient(
            self.name,
            baudrate=self._baud,
            parity=self._parity,
            stopbits=self._stop_bits,
            timeout=timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._heard,
            trace_connect=self._connection,
        )
        self._framer = RtuFramer(client.ctx.framer.decoder, self._units, self._on_stray)
        client.ctx.framer = self._framer
        client.ctx.max_buffer_size = self._framer.MAX_SIZE
        return client

    def _heard(self, sending: bool, data: bytes) -> bytes:
        self._quiet_since = asyncio.get_running_loop().time()
        return data

    async def _before(self, request: ModbusPDU, count: int) -> None:
        loop = asyncio.get_running_loop()
        left = self._quiet_since + self._guard_s - loop.time()
        if left > 0:
            await asyncio.sleep(left)
        port = getattr(self._client and self._client.ctx.transport, "sync_serial", None)
        if port is not None:
            try:
                port.reset_input_buffer()
            except (OSError, termios.error) as gone:
                raise WireDown(f"{self.name} is gone: {gone}") from gone
        assert self._framer is not None
        self._framer.expect(expected(request.dev_id, request.function_code, count))

    def _after(self) -> None:
        if self._framer is not None:
            self._framer.expect(None)


def _tear_down(transport: asyncio.BaseTransport) -> None:
    """Resets a connection: neither this process nor the kernel sends anything more of it."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):  # gone already
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(transport, asyncio.Transport):
        transport.abort()


def _write_request(unit: int, write: Write) -> ModbusPDU:
    if write.fc == 5:
        return RawCoil(dev_id=unit, address=write.address, value=write.words[0])
    if write.fc == 6:
        return WriteSingleRegisterRequest(dev_id=unit, address=write.address, registers=list(write.words))
    return WriteMultipleRegistersRequest(dev_id=unit, address=write.address, registers=list(write.words))


def _echoes(answer: ModbusPDU, write: Write) -> bool:
    if isinstance(answer, RawCoil):
        return answer.value == write.words[0]
    if write.fc == 6:
        return list(answer.registers) == list(write.words)
    return answer.count == len(write.words)
