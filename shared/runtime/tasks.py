"""Runs coroutines concurrently, and cancels tasks until each has finished.

`asyncio.TaskGroup` cancels each task once. On Python 3.11 that cancellation can be lost:
`wait_for`, which our libraries use, drops a cancellation that arrives at the same moment as
its result (fixed in 3.12 by cpython#98518). Code that waits for such a task would wait without
end, so the functions here repeat the cancellation.
"""

import asyncio
from collections.abc import Collection, Coroutine, Iterable, Mapping
from typing import Any, Final

# Longer than any cleanup in this project: a second cancellation would interrupt the cleanup.
_RECANCEL_SECS: Final = 3.0


async def stop(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel `tasks` until each has finished; does not raise their exceptions.

    If the caller is cancelled meanwhile, CancelledError is raised after all have finished.
    """
    pending = {task for task in tasks if not task.done()}
    interrupted: asyncio.CancelledError | None = None
    while pending:
        for task in pending:
            task.cancel()
        try:
            _, pending = await asyncio.wait(pending, timeout=_RECANCEL_SECS)
        except asyncio.CancelledError as error:
            interrupted = error
            pending = {task for task in pending if not task.done()}
    if interrupted is not None:
        raise interrupted


async def run_together(
    works: Mapping[str, Coroutine[Any, Any, None]], *, stopped_first: Collection[str] = ()
) -> None:
    """Run coroutines, by task name, until one finishes or the caller is cancelled; stop the rest.

    Those named in `stopped_first` have ended before the others are cancelled, which their last
    steps may need. Raises an ExceptionGroup of their exceptions if any failed.
    """
    tasks = [asyncio.create_task(work, name=name) for name, work in works.items()]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        try:
            await stop([task for task in tasks if task.get_name() in stopped_first])
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
