"""The official SDK, unmodified but for its hosts."""

from collections.abc import Iterator
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
