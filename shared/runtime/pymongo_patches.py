"""Makes operations of the MongoDB driver safe to cancel.

The driver waits for conditions with `asyncio.wait_for`, which before Python 3.12 awaits in a
separate task. If the caller is cancelled at the moment when that task reacquires the
condition's lock, the caller goes on without the lock and the task never releases it: no later
operation of that client finishes. This happens to code that is cancelled while no server can
be reached, such as a leader that loses its lease. So `wait_for` of Python 3.12 is backported.

A caller that is cancelled while the driver connects leaves the socket open. So the connection
is completed without the caller, within the driver's connect timeout, and closed.
"""

import asyncio
import socket
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

from pymongo import lock, pool_shared

T = TypeVar("T")


async def wait_for(awaited: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109
    """Like `asyncio.wait_for` of Python 3.12: awaits in the caller's own task."""
    async with asyncio.timeout(timeout):
        return await awaited


_connect: Final = pool_shared._async_create_connection  # noqa: SLF001


async def create_connection(address: Any, options: Any) -> socket.socket:
    """Like the driver's; closes the socket if the caller is cancelled."""
    connecting = asyncio.ensure_future(_connect(address, options))
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        connecting.add_done_callback(_close)
        raise


def _close(connecting: "asyncio.Future[socket.socket]") -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().close()


def apply() -> None:
    """Make the driver use the functions above, in this process."""
    lock.wait_for = wait_for  # type: ignore[attr-defined, assignment]
    pool_shared._async_create_connection = create_connection  # noqa: SLF001
