"""Runs services inside a test's own event loop, from their composition roots."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from shared.health import Readiness
from shared.runtime import Part


@asynccontextmanager
async def running(
    build: AbstractAsyncContextManager[Sequence[Part]],
) -> AsyncIterator[Sequence[Part]]:
    """Run the parts of a service; a part that fails fails the test."""
    async with build as parts, asyncio.TaskGroup() as group:
        tasks = [group.create_task(part.run()) for part in parts]
        try:
            yield parts
        finally:
            for task in tasks:
                task.cancel()


async def is_ready(readiness: Readiness) -> bool:
    """For `eventually`."""
    return readiness.is_ready()
