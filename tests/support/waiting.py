"""Waits for a condition instead of for time to pass."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    look: Callable[[], Awaitable[T]], *, what: str, timeout_secs: float = 15.0
) -> T:
    """The first truthy result of `look`; fails naming `what` was waited for."""
    deadline = time.monotonic() + timeout_secs
    while True:
        result = await look()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_secs} s: {what}; last seen: {result!r}")
        await asyncio.sleep(0.02)
