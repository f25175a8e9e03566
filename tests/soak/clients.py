"""Clients of the soak test: each follows all instruments and counts what it receives."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from embedded.signup import Account, sign_up
from tradedad_client import Bar, Client


@dataclass
class WatchedClient:
    """What one client received."""

    quotes: int = 0
    last_quote_at: float = field(default_factory=time.monotonic)
    """Monotonic time of the last live quote."""
    failure: str | None = None
    """Why the client gave up; it must not."""
    bars: set[tuple[str, int]] = field(default_factory=set)
    gaps: int = 0


@asynccontextmanager
async def watched_clients(
    sign_up_url: str, url: str, keys: list[str], count: int
) -> AsyncIterator[list[WatchedClient]]:
    """Clients of one new user each, connected through `url`."""
    watched = [WatchedClient() for _ in range(count)]
    async with aiohttp.ClientSession() as http:
        accounts = [await sign_up(http, sign_up_url) for _ in watched]
    tasks = [
        asyncio.create_task(_follow(client, url, account, keys))
        for client, account in zip(watched, accounts, strict=True)
    ]
    try:
        yield watched
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(watched: WatchedClient, url: str, account: Account, keys: list[str]) -> None:
    try:
        async with (
            Client(url, email=account.email, password=account.password) as client,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(_read_quotes(watched, client, keys))
            group.create_task(_read_bars(watched, client, keys))
    except Exception as error:  # noqa: BLE001 - any end is a finding
        causes = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
        watched.failure = "; ".join(repr(cause) for cause in causes)


async def _read_quotes(watched: WatchedClient, client: Client, keys: list[str]) -> None:
    async for quote in client.quotes(keys):
        if not quote.snapshot and not quote.snap:
            watched.quotes += 1
            watched.last_quote_at = time.monotonic()


async def _read_bars(watched: WatchedClient, client: Client, keys: list[str]) -> None:
    async for event in client.live_bars(keys):
        if isinstance(event, Bar):
            watched.bars.add((event.key, event.start))
        else:
            watched.gaps += 1
