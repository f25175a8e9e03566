"""The official SDK of Upstox, unmodified except for its hosts."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import upstox_client

from tests.support.patience import PATIENCE_SECS

SDK_SECS: Final = int(PATIENCE_SECS)
"""The timeout of calls; the SDK ignores one that is not an integer."""


@contextmanager
def sdk_client(base_url: str, token: str) -> Iterator[Any]:
    """An `ApiClient` for `base_url`. Its calls block: use it outside the event loop."""
    configuration = upstox_client.Configuration()
    configuration.host = configuration.order_host = base_url
    configuration.access_token = token
    client = upstox_client.ApiClient(configuration)
    try:
        yield client
    finally:
        # Otherwise the garbage collector would close it, in any thread, and block there.
        client.pool.terminate()
        client.pool.join()


async def sdk_call(base_url: str, token: str, work: Callable[[Any], Any]) -> Any:
    """The result of `work` with such a client, in a thread; pass a timeout to its calls."""

    def blocking() -> Any:
        with sdk_client(base_url, token) as client:
            return work(client)

    return await asyncio.to_thread(blocking)
