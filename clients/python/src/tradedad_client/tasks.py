"""Cancels tasks until each has finished."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

# On Python 3.11 `asyncio.wait_for` inside a library can lose a cancellation (cpython#98518).
# A task that has not ended after this time is cancelled again.
_RETRY_SECS: Final = 3.0


async def stop(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel `tasks` until each has finished; their exceptions stay in them.

    A cancellation of the caller is raised once all tasks have finished.
    """
    pending = {task for task in tasks if not task.done()}
    interrupted: asyncio.CancelledError | None = None
    while pending:
        for task in pending:
            task.cancel()
        try:
            _, pending = await asyncio.wait(pending, timeout=_RETRY_SECS)
        except asyncio.CancelledError as error:
            interrupted = error
            pending = {task for task in pending if not task.done()}
    if interrupted is not None:
        raise interrupted
