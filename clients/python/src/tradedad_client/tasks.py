"""Ends tasks for sure."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

# On Python 3.11 a library's `wait_for` may swallow a cancellation (cpython#98518): whoever
# has not ended by then is cancelled again.
_AGAIN_SECS: Final = 3.0


async def stop(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel `tasks` until each has ended; what they raise is left in them.

    Should we be cancelled meanwhile, that is raised once all have ended.
    """
    pending = {task for task in tasks if not task.done()}
    interrupted: asyncio.CancelledError | None = None
    while pending:
        for task in pending:
            task.cancel()
        try:
            _, pending = await asyncio.wait(pending, timeout=_AGAIN_SECS)
        except asyncio.CancelledError as error:
            interrupted = error
            pending = {task for task in pending if not task.done()}
    if interrupted is not None:
        raise interrupted
