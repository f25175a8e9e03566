"""The way from an outbox to its client's socket."""

import asyncio
import os
import socket
from typing import Final

# The kernel takes so much that is not on its way yet, and then says that the client is slow:
# what waits there cannot be replaced by anything newer.
_KERNEL_UNSENT_BYTES: Final = 131_072


class SocketWriter:
    """Writes to a transport's socket, past the transport's own buffer while that is empty.

    Past aiohttp's writer too: that one makes a coroutine of each frame and may wait within
    it. All write whole frames at once, so they do not mix, and nobody overtakes what waits in
    the transport's buffer.
    """

    __slots__ = ("_file", "_is_closing", "_transport", "unsent")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._is_closing = transport.is_closing
        self.unsent = transport.get_write_buffer_size
        """Bytes that the socket has not taken."""
        connection = transport.get_extra_info("socket")
        is_plain = transport.get_extra_info("sslcontext") is None
        self._file: int | None = None
        if connection is not None:
            connection.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _KERNEL_UNSENT_BYTES
            )
            if is_plain:
                self._file = connection.fileno()

    def write(self, data: bytes) -> None:
        """Send all of it, in time; nothing if the connection ends."""
        if self._is_closing():  # from then on the file's number may be another's
            return
        if self._file is None or self.unsent():
            self._transport.write(data)
            return
        try:
            sent = os.write(self._file, data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._transport.abort()
            return
        if sent < len(data):
            self._transport.write(data[sent:])
