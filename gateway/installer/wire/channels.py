"""Bytes to and from a line, without any protocol: a serial port, or a serial line behind a TCP converter."""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
from typing import Protocol

from gateway.installer.terminal.trouble import FAILED, Trouble
from gateway.installer.wire.ports import open_port

BUFFER_LIMIT = 64 * 1024


class Gone(Trouble):
    """The line went away while it was used."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} 断开了（转换器被拔出？）", f"{name} went away (adapter unplugged?)", FAILED)


class Channel(Protocol):
    """What every line can do. One user at a time."""

    name: str

    def send(self, data: bytes) -> None:
        """Puts bytes on the line. Raises `Gone`."""

    async def hear(self, within_s: float | None) -> bytes:
        """What comes next; b"" if nothing does in time. Raises `Gone`."""

    def clear(self) -> None:
        """What has come until now is of no interest."""

    def close(self) -> None:
        """Gives the line back."""


class _Inbox:
    """Bytes that have come and were not yet looked at. The oldest go if nobody looks."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._bytes = bytearray()
        self._news = asyncio.Event()
        self.gone = False

    def put(self, data: bytes) -> None:
        self._bytes += data
        del self._bytes[:-BUFFER_LIMIT]
        self._news.set()

    def lost(self) -> None:
        self.gone = True
        self._news.set()

    def clear(self) -> None:
        self._bytes.clear()
        if not self.gone:
            self._news.clear()

    async def take(self, within_s: float | None) -> bytes:
        try:
            async with asyncio.timeout(within_s):
                await self._news.wait()
        except TimeoutError:
            return b""
        if self.gone and not self._bytes:
            raise Gone(self._name)
        data = bytes(self._bytes)
        self.clear()
        return data


class SerialChannel:
    """A serial port, opened for this process alone."""

    def __init__(self, port: str, baud: int, parity: str, stop_bits: int, *, listen_only: bool = False) -> None:
        self.name = port
        self._line = open_port(port, baud, parity, stop_bits, listen_only=listen_only)
        self._inbox = _Inbox(port)
        os.set_blocking(self._line.fd, False)
        asyncio.get_running_loop().add_reader(self._line.fd, self._read)

    def send(self, data: bytes) -> None:
        """Puts bytes on the line. Raises `Gone`."""
        try:
            os.write(self._line.fd, data)
        except BlockingIOError:
            return
        except OSError as wrong:
            raise Gone(self.name) from wrong

    async def hear(self, within_s: float | None) -> bytes:
        """What comes next; b"" if nothing does in time. Raises `Gone`."""
        return await self._inbox.take(within_s)

    def clear(self) -> None:
        """What has come until now is of no interest."""
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(self._line.fd, termios.TCIFLUSH)
        self._inbox.clear()

    def close(self) -> None:
        """Gives the port back; what was not sent yet is dropped, so that closing never waits."""
        if not self._line.is_open:
            return
        asyncio.get_running_loop().remove_reader(self._line.fd)
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(self._line.fd, termios.TCIOFLUSH)
        with contextlib.suppress(OSError, termios.error):
            self._line.close()

    def _read(self) -> None:
        try:
            data = os.read(self._line.fd, 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._inbox.put(data)
        else:
            asyncio.get_running_loop().remove_reader(self._line.fd)
            self._inbox.lost()


class TcpChannel:
    """A serial line behind a converter that passes its bytes through."""

    def __init__(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.name = name
        self._writer = writer
        self._inbox = _Inbox(name)
        self._pump = asyncio.create_task(self._read(reader))

    @classmethod
    async def dial(cls, host: str, port: int, within_s: float) -> TcpChannel:
        """Connects; raises `Trouble` in words."""
        name = f"{host}:{port}"
        try:
            async with asyncio.timeout(within_s):
                reader, writer = await asyncio.open_connection(host, port)
        except TimeoutError:
            raise Trouble(f"{name} 没有应答", f"{name} does not answer", FAILED) from None
        except OSError as wrong:
            words = os.strerror(wrong.errno) if wrong.errno and wrong.errno > 0 else str(wrong)
            raise Trouble(f"连不上 {name}：{words}", f"{name} cannot be reached: {words}", FAILED) from wrong
        return cls(name, reader, writer)

    def send(self, data: bytes) -> None:
        """Puts bytes on the line. Raises `Gone`."""
        if self._inbox.gone:
            raise Gone(self.name)
        self._writer.write(data)

    async def hear(self, within_s: float | None) -> bytes:
        """What comes next; b"" if nothing does in time. Raises `Gone`."""
        return await self._inbox.take(within_s)

    def clear(self) -> None:
        """What has come until now is of no interest."""
        self._inbox.clear()

    def close(self) -> None:
        """Hangs up."""
        self._pump.cancel()
        self._writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(4096):
                self._inbox.put(data)
        except OSError:
            pass
        finally:
            self._inbox.lost()
