"""Everything that clients do at once while the processes of a stack are replaced."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp

from shared.market.exchange_time import WINDOW_MS
from shared.runtime.tasks import stop
from tests.support.builders import KEY
from tests.support.rolling.stack import RollingStack, nifty_50
from tests.support.rolling.streams import ProgramClient, RawClient, Seen, clients_of
from tests.support.rolling.tokens import Session, log_in
from tests.support.rolling.traffic import Orderer, Requests, get_again_and_again
from tests.support.waiting import eventually

_STREAMS_PER_USER: Final = 20
_ORDERERS: Final = 3
_BARS: Final = 100


@dataclass
class Load:
    """All clients, and what they saw."""

    clients: list[RawClient | ProgramClient]
    sessions: list[Session]
    orderers: list[Orderer]
    gets: dict[str, Requests]

    @property
    def seen(self) -> list[Seen]:
        """What each client of the stream saw."""
        return [client.seen for client in self.clients]

    @property
    def orders(self) -> list[Requests]:
        """The orders of each program."""
        return [orderer.requests for orderer in self.orderers]

    async def all_live(self) -> None:
        """Wait until every client receives quotes."""

        def are_live() -> bool:
            return all(seen.quotes and seen.ended_at is None for seen in self.seen)

        await eventually(are_live, what="every client receives quotes")

    async def all_served_after(self, at: float) -> None:
        """Wait until every client has received a quote, and every program the answer to an order
        that it placed, after a time in Unix seconds.
        """

        def are_served() -> bool:
            quotes = [seen.last_quote_at or 0.0 for seen in self.seen]
            return min([*quotes, *(orders.answered_at for orders in self.orders)]) > at

        await eventually(are_served, what="every client is served by the successor")


@asynccontextmanager
async def load_on(stack: RollingStack, url: str, streams: int) -> AsyncIterator[Load]:
    """Clients that run until the end of the block. One that fails, fails the test."""
    async with AsyncExitStack() as opened:
        http = await opened.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
            )
        )
        users = streams // _STREAMS_PER_USER
        sessions = await log_in(http, stack.auth_url, users + _ORDERERS)
        reader = sessions[users]
        first = stack.pipeline.first_window
        bars = f"/v1/bars?key={KEY}&interval=5m&from={first}&to={first + _BARS * WINDOW_MS}"
        load = Load(
            clients_of(http, url, sessions[:users], nifty_50(), streams),
            sessions,
            [Orderer(url, session, KEY) for session in sessions[users:]],
            {f"/v1/quotes?keys={KEY}": Requests(), bars: Requests()},
        )
        endless = [
            *(client.run() for client in load.clients),
            *(session.renew(url) for session in sessions),
            *(get_again_and_again(http, url, path, reader, load.gets[path]) for path in load.gets),
        ]
        tasks = [asyncio.create_task(work) for work in endless]
        ordering = [asyncio.create_task(orderer.run()) for orderer in load.orderers]
        try:
            yield load
            for orderer in load.orderers:
                orderer.end()
            await asyncio.gather(*ordering)
            failed = [task for task in tasks if task.done()]
        finally:
            await stop([*tasks, *ordering])
    for task in failed:
        task.result()
