"""Reads a line of standard input without blocking the event loop."""

import asyncio
import contextlib
import os
import sys
import threading
from typing import Final

_STDIN: Final = 0
_MAX_LINE_BYTES: Final = 4_096


async def read_line() -> str | None:
    """Return the next line; None if standard input is closed or has no further line.

    What follows the line may be lost, so call it once. It waits without a limit.
    """
    if sys.stdin is None:
        return None  # closed: the descriptor may be that of a connection by now
    loop = asyncio.get_running_loop()
    line: asyncio.Future[bytes] = loop.create_future()

    def read() -> None:
        data = _read_descriptor()
        # The loop is closed if nobody waits for the line any more, for example after Ctrl+C.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_set, line, data)

    # A thread of the loop's own pool would keep the program from ending.
    threading.Thread(target=read, name="stdin", daemon=True).start()
    data = await line
    return data.decode("utf-8", "replace") if data else None


def _set(line: asyncio.Future[bytes], data: bytes) -> None:
    if not line.done():
        line.set_result(data)


def _read_descriptor() -> bytes:
    """Read past the buffer of `sys.stdin`, whose lock a waiting thread would hold at the exit."""
    data = bytearray()
    while b"\n" not in data and len(data) < _MAX_LINE_BYTES:
        try:
            read = os.read(_STDIN, _MAX_LINE_BYTES)
        except OSError:
            break  # as if it had ended
        if not read:
            break
        data += read
    return bytes(data.partition(b"\n")[0])
