"""Runs services inside a test's own event loop, from their composition roots."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from shared.runtime.health import Readiness
from shared.runtime.service import Component
from shared.runtime.tasks import stop


@asynccontextmanager
async def running(
    build: AbstractAsyncContextManager[Sequence[Component]],
) -> AsyncIterator[Sequence[Component]]:
    """Run the components of a service; a component that has failed by the end fails the test."""
    async with build as components:
        tasks = [
            asyncio.create_task(component.run(), name=type(component).__name__)
            for component in components
        ]
        try:
            yield components
            ended = [task for task in tasks if task.done()]
        finally:
            await stop(tasks)
    for task in ended:
        task.result()


async def is_ready(readiness: Readiness) -> bool:
    """For `eventually`."""
    return readiness.is_ready()
