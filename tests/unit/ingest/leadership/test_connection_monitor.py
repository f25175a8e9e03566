"""A connection ends when it is silent while a subscribed segment is open."""

import asyncio

import pytest

from services.ingest.feed.source import FeedSilent
from services.ingest.leadership.connection_monitor import ConnectionMonitor
from shared.runtime.tasks import stop
from tests.support.builders import KEY
from tests.support.ingest_fakes import IngestTerm
from tests.support.virtual_time import LoopClock, on_virtual_time


def monitored(status: str) -> tuple[IngestTerm, ConnectionMonitor]:
    term = IngestTerm(LoopClock())
    term.subscribe(KEY)
    term.set_market(status)
    return term, ConnectionMonitor(term.context.watchdog, term.market, term.clock)


@on_virtual_time
async def test_a_silent_connection_ends_after_the_timeout() -> None:
    _, monitor = monitored("NORMAL_OPEN")
    loop = asyncio.get_running_loop()
    with pytest.raises(FeedSilent) as raised:
        await monitor.run()
    assert 15.0 < loop.time() <= 16.0
    assert raised.value.cause == "silent"


@on_virtual_time
async def test_each_frame_restarts_the_timeout() -> None:
    term, monitor = monitored("NORMAL_OPEN")
    running = asyncio.create_task(monitor.run())
    for _ in range(10):
        await asyncio.sleep(10.0)
        term.context.watchdog.frame_received(term.clock.monotonic())
    assert not running.done()
    await stop([running])


@on_virtual_time
async def test_a_connection_is_kept_while_the_market_is_closed() -> None:
    term, monitor = monitored("NORMAL_CLOSE")
    running = asyncio.create_task(monitor.run())
    await asyncio.sleep(3_600.0)
    assert not running.done()
    term.set_market("NORMAL_OPEN")
    await asyncio.sleep(14.0)
    assert not running.done(), "silence starts when the market opens"
    await asyncio.sleep(3.0)
    assert isinstance(running.exception(), FeedSilent)
