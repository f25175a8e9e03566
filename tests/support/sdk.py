"""The official SDK, unmodified but for its hosts."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import upstox_client


@contextmanager
def sdk_client(base_url: str, token: str) -> Iterator[Any]:
    """An `ApiClient` for `base_url`; make and use it off the event loop, its calls block."""
    configuration = upstox_client.Configuration()
    configuration.host = configuration.order_host = base_url
    configuration.access_token = token
    client = upstox_client.ApiClient(configuration)
    try:
        yield client
    finally:
        # Left to the garbage collector it blocks whatever thread that runs in.
        client.pool.terminate()
        client.pool.join()


async def sdk_call(base_url: str, token: str, work: Callable[[Any], Any]) -> Any:
    """What `work` makes of such a client, off the event loop; give its calls a timeout."""

    def blocking() -> Any:
        with sdk_client(base_url, token) as client:
            return work(client)

    return await asyncio.to_thread(blocking)
