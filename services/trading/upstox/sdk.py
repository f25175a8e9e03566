"""Resources shared by all linked users' calls: threads, a session for streams, counted rows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from services.trading.settings import TradingSettings
from services.trading.upstox.account_calls import AccountCalls
from services.trading.upstox.call_threads import CallThreads
from services.trading.upstox.calls import UpstoxConnection
from services.trading.upstox.portfolio_stream import portfolio_stream
from services.trading.upstox.rows import OrderRow
from services.trading.upstox.skipped_rows import SkippedRows

_PING_SECS: Final = 10.0


class LinkedCalls(AccountCalls):
    """The calls of one user, and the user's stream."""

    http: aiohttp.ClientSession
    skipped: SkippedRows

    @asynccontextmanager
    async def updates(self) -> AsyncIterator[AsyncIterator[OrderRow]]:
        """A connection of the portfolio stream."""
        address = await self.stream_address()
        async with portfolio_stream(self.http, address, self.skipped, ping_secs=_PING_SECS) as rows:
            yield rows


class UpstoxSdk:
    """The SDK for one process."""

    def __init__(self, settings: TradingSettings, http: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._http = http
        self._skipped = SkippedRows()
        size, waiting = settings.upstox_threads, settings.upstox_calls_waiting
        # Apart from each other: reads never delay a command.
        self._command_threads = CallThreads("commands", threads=size, waiting=waiting)
        self._read_threads = CallThreads("reads", threads=size, waiting=waiting)

    async def open(self, access_token: str) -> UpstoxConnection:
        """The calls for an access token."""
        calls = await LinkedCalls.open(
            self._settings,
            access_token,
            self._skipped,
            command_threads=self._command_threads,
            read_threads=self._read_threads,
        )
        calls.http, calls.skipped = self._http, self._skipped
        return calls

    async def close(self) -> None:
        """Wait for the calls that have begun."""
        await self._command_threads.close()
        await self._read_threads.close()


@asynccontextmanager
async def upstox_sdk(settings: TradingSettings) -> AsyncIterator[UpstoxSdk]:
    """The SDK until the process ends; calls that are under way are waited for."""
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(timeout=timeout, proxy=settings.upstox.proxy) as http:
        sdk = UpstoxSdk(settings, http)
        try:
            yield sdk
        finally:
            await sdk.close()
