"""Backports Python 3.12's `wait_for` to the MongoDB driver, for safe cancellation.

The driver waits for conditions with `asyncio.wait_for`, which before Python 3.12 awaits in a
separate task. If the caller is cancelled at the moment when that task reacquires the
condition's lock, the caller goes on without the lock and the task never releases it: no later
operation of that client finishes. This happens to code that is cancelled while no server can
be reached, such as a leader that loses its lease.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from pymongo import lock

T = TypeVar("T")


async def wait_for(awaited: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109
    """Like `asyncio.wait_for` of Python 3.12: awaits in the caller's own task."""
    async with asyncio.timeout(timeout):
        return await awaited


def apply() -> None:
    """Make the driver use the `wait_for` above, in this process."""
    lock.wait_for = wait_for  # type: ignore[attr-defined, assignment]
