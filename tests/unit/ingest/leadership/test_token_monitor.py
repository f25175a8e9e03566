"""A connection whose token is refused is replaced as soon as that costs no ticks."""

import asyncio

import pytest

from services.ingest.feed.source import TokenReplaced
from services.ingest.leadership.token_monitor import TokenMonitor
from shared.contracts.messages import FeedState, decode_status
from shared.errors import FeedError, FeedUnauthorised
from shared.runtime.tasks import stop
from shared.runtime.upstox_tokens import TokenPicker
from tests.support.builders import KEY
from tests.support.ingest_fakes import ChangingToken, FakeFeed, IngestTerm
from tests.support.virtual_time import LoopClock, on_virtual_time

REFUSAL = FeedUnauthorised("unauthorised", "HTTP 401")


class Monitored:
    """A monitor of the token `old`: polls the source every second, and Upstox every 10 s."""

    def __init__(self, market_status: str) -> None:
        self.term = IngestTerm(LoopClock())
        self.term.subscribe(KEY)
        self.term.set_market(market_status)
        self.term.context.status.set(FeedState.LIVE)
        self.feed = FakeFeed()
        self.source = ChangingToken("old")
        self.tokens = TokenPicker([self.source], self.term.clock)
        self.monitor = TokenMonitor(
            self.feed,
            self.tokens,
            "old",
            self.term.market,
            self.term.context.status,
            self.term.clock,
            poll_secs=1.0,
            check_secs=10.0,
        )

    async def detail(self) -> str:
        """The detail that is published next."""
        running = asyncio.create_task(self.term.context.status.run())
        await asyncio.sleep(0.01)
        detail = decode_status(self.term.bus.of("md.status")[-1]).detail
        await stop([running])
        return detail


@on_virtual_time
async def test_a_valid_token_is_kept_while_the_market_is_open() -> None:
    monitored = Monitored("NORMAL_OPEN")
    running = asyncio.create_task(monitored.monitor.run())
    await asyncio.sleep(5.0)
    monitored.source.token = "new"
    await asyncio.sleep(60.0)
    assert not running.done()
    await stop([running])


@on_virtual_time
async def test_a_new_token_is_used_at_once_while_the_market_is_closed() -> None:
    monitored = Monitored("NORMAL_CLOSE")
    running = asyncio.create_task(monitored.monitor.run())
    await asyncio.sleep(5.5)
    assert not running.done()
    monitored.source.token = "new"
    await asyncio.sleep(1.0)
    assert isinstance(running.exception(), TokenReplaced)


@on_virtual_time
async def test_a_refused_token_ends_the_connection_while_the_market_is_closed() -> None:
    monitored = Monitored("NORMAL_CLOSE")
    monitored.feed.refusals["old"] = REFUSAL
    with pytest.raises(FeedUnauthorised):
        await monitored.monitor.run()
    assert asyncio.get_running_loop().time() == 10.0
    assert await monitored.tokens.pick() is None, "the refused token is not picked again"


@on_virtual_time
async def test_a_refused_token_is_kept_with_a_warning_until_there_is_a_new_one() -> None:
    monitored = Monitored("NORMAL_OPEN")
    monitored.feed.refusals["old"] = REFUSAL
    running = asyncio.create_task(monitored.monitor.run())
    await asyncio.sleep(30.0)
    assert not running.done()
    assert "refuses the access token" in await monitored.detail()
    monitored.source.token = "new"
    await asyncio.sleep(2.0)
    assert isinstance(running.exception(), TokenReplaced)


@on_virtual_time
async def test_a_failed_check_changes_nothing() -> None:
    monitored = Monitored("NORMAL_OPEN")
    monitored.feed.refusals["old"] = FeedError("authorize", "HTTP 503")
    running = asyncio.create_task(monitored.monitor.run())
    await asyncio.sleep(30.0)
    assert not running.done()
    assert await monitored.tokens.pick() == "old"
    assert await monitored.detail() == ""
    await stop([running])
