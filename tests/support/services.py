"""Runs services from their composition roots, inside a test's own event loop."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from shared.runtime.service import Component
from shared.runtime.tasks import stop


@asynccontextmanager
async def running(
    build: AbstractAsyncContextManager[Sequence[Component]],
) -> AsyncIterator[Sequence[Component]]:
    """Run the components of a service. A component that ends before the block does fails the
    test.
    """
    async with build as components:
        async with running_components(components):
            yield components


@asynccontextmanager
async def running_components(components: Sequence[Component]) -> AsyncIterator[None]:
    """The same for components that are built already."""
    tasks = [
        asyncio.create_task(component.run(), name=type(component).__name__)
        for component in components
    ]
    try:
        yield
        ended = [task for task in tasks if task.done()]
    finally:
        await stop(tasks)
    for task in ended:
        task.result()
        raise AssertionError(f"{task.get_name()} returned")
