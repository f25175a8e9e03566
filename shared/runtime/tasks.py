"""Runs coroutines side by side and ends them for sure.

`asyncio.TaskGroup` cancels each task once. On Python 3.11 that can be lost: `wait_for`,
on which our libraries build, drops a cancellation that comes in the moment its result
does (fixed in 3.12 by cpython#98518). Who waits for such a task waits for ever; here it
is cancelled again until it has ended.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, Final

# Longer than any clean-up of ours, which a second cancellation would cut short.
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


async def run_together(works: Mapping[str, Coroutine[Any, Any, None]]) -> None:
    """Run all, by name, until one ends by itself or we are cancelled; then stop the others.

    Raises an ExceptionGroup of what they raised, if any did.
    """
    tasks = [asyncio.create_task(work, name=name) for name, work in works.items()]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await stop(tasks)
    errors = [error for task in tasks if (error := _error(task)) is not None]
    if errors:
        raise ExceptionGroup(f"{len(errors)} of {len(tasks)} failed", errors)


def _error(task: "asyncio.Task[Any]") -> Exception | None:
    if task.cancelled():
        return None
    error = task.exception()
    if error is None or isinstance(error, Exception):
        return error
    raise error
