"""Lets the MongoDB driver's waits for a condition be cancelled at any moment, on Python 3.11 too.

The driver waits by `asyncio.wait_for`, which before Python 3.12 waits in a task of its own.
Cancelled just when that task takes the condition's lock again, its caller goes on without the
lock, and the task keeps it for good: from then on no operation of that client ends. It happens
to whoever is cancelled while no server can be reached: a leader that loses its lease, say.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from pymongo import lock

T = TypeVar("T")


async def wait_for(awaited: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109
    """As of Python 3.12: no task between the caller and what it waits for."""
    async with asyncio.timeout(timeout):
        return await awaited


def mend() -> None:
    """Let the driver of this process wait by the `wait_for` above."""
    lock.wait_for = wait_for  # type: ignore[attr-defined, assignment]
