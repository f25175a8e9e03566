"""Writes bytes to a client's socket, bypassing the transport's buffer while it is empty."""

import asyncio
import os
import socket
from typing import Final

# With more unsent bytes than this in the kernel, the socket counts as full: bytes in the
# kernel cannot be replaced by newer messages.
_KERNEL_UNSENT_BYTES: Final = 131_072


class SocketWriter:
    """Writes whole frames to a transport's socket.

    It also bypasses aiohttp's WebSocket writer, which makes a coroutine of each frame and may
    wait in it. Both write whole frames in one call, so frames do not interleave, and nothing
    is written past bytes that wait in the transport's buffer.
    """

    __slots__ = ("_fd", "_is_closing", "_transport", "unsent")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._is_closing = transport.is_closing
        self.unsent = transport.get_write_buffer_size
        """Bytes that the socket has not taken."""
        connection = transport.get_extra_info("socket")
        is_plain = transport.get_extra_info("sslcontext") is None
        self._fd: int | None = None
        if connection is not None:
            connection.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _KERNEL_UNSENT_BYTES
            )
            if is_plain:
                self._fd = connection.fileno()

    def write(self, data: bytes) -> None:
        """Send all of `data`; does nothing if the connection is closing."""
        if self._is_closing():  # the file descriptor may belong to another connection by now
            return
        if self._fd is None or self.unsent():
            self._transport.write(data)
            return
        try:
            sent_bytes = os.write(self._fd, data)
        except BlockingIOError:
            sent_bytes = 0
        except OSError:
            self._transport.abort()
            return
        if sent_bytes < len(data):
            self._transport.write(data[sent_bytes:])
