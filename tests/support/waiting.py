"""Waits for a condition instead of for time to pass."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, overload

from tests.support.patience import PATIENCE_SECS

T = TypeVar("T")
_POLL_SECS: Final = 0.02


@overload
async def eventually(
    look: Callable[[], Awaitable[T]], *, what: str, timeout_secs: float = PATIENCE_SECS
) -> T: ...


@overload
async def eventually(
    look: Callable[[], T], *, what: str, timeout_secs: float = PATIENCE_SECS
) -> T: ...


async def eventually(
    look: Callable[[], Any], *, what: str, timeout_secs: float = PATIENCE_SECS
) -> Any:
    """The first truthy result of `look`, a function or a coroutine function.

    Fails with an AssertionError that names `what` did not happen.
    """
    deadline = time.monotonic() + timeout_secs
    while True:
        result = look()
        if inspect.isawaitable(result):
            result = await result
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_secs:g} s: {what}; last seen: {result!r}")
        await asyncio.sleep(_POLL_SECS)


def wait_until(look: Callable[[], T], *, what: str, timeout_secs: float = PATIENCE_SECS) -> T:
    """The same for tests without an event loop."""
    deadline = time.monotonic() + timeout_secs
    while not (result := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_secs:g} s: {what}; last seen: {result!r}")
        time.sleep(_POLL_SECS)
    return result
