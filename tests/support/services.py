"""Runs services inside a test's own event loop, from their composition roots."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from shared.health import Readiness
from shared.runtime import Part
from shared.tasks import stop


@asynccontextmanager
async def running(
    build: AbstractAsyncContextManager[Sequence[Part]],
) -> AsyncIterator[Sequence[Part]]:
    """Run the parts of a service; a part that has failed by the end fails the test."""
    async with build as parts:
        tasks = [asyncio.create_task(part.run(), name=type(part).__name__) for part in parts]
        try:
            yield parts
            ended = [task for task in tasks if task.done()]
        finally:
            await stop(tasks)
    for task in ended:
        task.result()


async def is_ready(readiness: Readiness) -> bool:
    """For `eventually`."""
    return readiness.is_ready()
