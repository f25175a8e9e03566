"""A halt of a segment is a closed segment for clients, and no gap for the bars."""

from typing import Any

from services.persister.storage.documents import to_ms
from shared.contracts.messages import FeedState
from shared.market.exchange_time import WINDOW_MS, window_start
from tests.support.bar_comparison import compare, wait_until_stored
from tests.support.gateway.endpoint import Gateway
from tests.support.gateway.in_process import running_gateway
from tests.support.gateway.rest import get
from tests.support.ingest import listening
from tests.support.pipeline_stack import KEYS, pipeline_stack
from tests.support.servers import MongoServer, NatsServer
from tests.support.waiting import eventually

SHARES = tuple(key for key in KEYS if key.startswith("NSE_EQ|"))


async def feed_of(gateway: Gateway) -> dict[str, Any]:
    """The feed's status as clients get it."""
    reply = await get(gateway, "/v1/status")
    feed: dict[str, Any] = reply.body.get("feed", {})
    return feed


async def wait_for_segment(gateway: Gateway, status: str) -> None:
    """Wait until clients see this status of the shares' segment."""

    async def is_seen() -> bool:
        segments: dict[str, str] = (await feed_of(gateway)).get("segments", {})
        return segments.get("NSE_EQ") == status

    await eventually(is_seen, what=f"NSE_EQ is {status}")


async def test_a_halted_segment_is_closed_and_its_silence_is_no_gap(
    nats: NatsServer, mongo_server: MongoServer
) -> None:
    async with (
        pipeline_stack(nats, mongo_server.url, speed=60) as (stack, mongo),
        running_gateway(nats) as gateway,
        listening(nats) as listener,
    ):
        await stack.start_ingest()
        stack.service("persister").start()
        await wait_for_segment(gateway, "NORMAL_OPEN")
        await stack.wait_until(stack.first_window + WINDOW_MS + WINDOW_MS // 2)
        halted_ms = await stack.halt("NSE_EQ")
        await wait_for_segment(gateway, "NORMAL_CLOSE")
        feed = await feed_of(gateway)
        assert (feed["state"], feed["segments"]["NSE_INDEX"]) == ("live", "NORMAL_OPEN")
        assert feed.get("stale", []) == []
        # Two whole windows have no trade of a share.
        await stack.wait_until(window_start(halted_ms) + 3 * WINDOW_MS + WINDOW_MS // 3)
        before_ms = await stack.resume("NSE_EQ")
        await wait_for_segment(gateway, "NORMAL_OPEN")
        for key in SHARES:
            await listener.wait_for_more_quotes(1, key)
        resumed = {window_start(at) for at in (before_ms, await stack.exchange_ms())}
        assert [
            quote
            for quote in listener.all_quotes()
            if quote.key in SHARES and halted_ms < (quote.ltt or 0) <= before_ms
        ] == []
        windows = (max(resumed) - stack.first_window) // WINDOW_MS + 2
        await wait_until_stored(mongo, stack.first_window + (windows + 1) * WINDOW_MS)
        found = await compare(stack, mongo, windows=windows, partial_may_differ=True)
        assert found.wrong == []
        # The first quote after the halt may hide trades, as after any quiet time.
        assert {start for _, start in found.not_complete()} <= resumed
        gaps = await mongo.db["gaps"].find({}).to_list()
        assert [gap for gap in gaps if to_ms(gap["end"]) > stack.first_window] == []
        states = listener.states()
        assert set(states[states.index(FeedState.LIVE) :]) == {FeedState.LIVE}
