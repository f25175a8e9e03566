"""The follower reconnects, and sets the state of the feed by the cause of each end."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.ingest.feed.source import FeedConnection, FeedSilent, TokenReplaced
from services.ingest.leadership.feed_follower import FeedFollower
from shared.contracts.demand import Demand
from shared.contracts.messages import FeedState
from shared.errors import FeedError, FeedUnauthorised, LeaseLost
from shared.runtime.tasks import stop
from shared.runtime.upstox_tokens import SettingToken, TokenPicker
from tests.support.builders import KEY, OTHER_KEY
from tests.support.ingest_fakes import ChangingToken, FakeFeed, IngestTerm
from tests.support.virtual_time import LoopClock, on_virtual_time


class Following:
    """A follower whose connections last `lifetime_secs` and then raise `end`."""

    def __init__(self, end: Exception, *, lifetime_secs: float = 0.0) -> None:
        self.term = IngestTerm(LoopClock(), KEY)
        self.feed = FakeFeed()
        self.source = ChangingToken("first")
        self._end = end
        self._lifetime_secs = lifetime_secs
        self.follower = FeedFollower(
            self.feed,
            TokenPicker([self.source, SettingToken("second")], self.term.clock),
            self._tasks,
            self.term.context.status,
            self.term.context.coverage,
            self.term.clock,
            token_poll_secs=1.0,
            settle_secs=30.0,
        )

    def _tasks(
        self, _connection: FeedConnection, _token: str
    ) -> dict[str, Coroutine[Any, Any, None]]:
        return {"work": self._work()}

    async def _work(self) -> None:
        self.term.context.coverage.set(pending=(), no_capacity=(), unknown=())
        await asyncio.sleep(self._lifetime_secs)
        raise self._end

    async def follow(self, secs: float) -> FeedState:
        """Follow for so long; the state of the feed then."""
        running = asyncio.create_task(self.follower.run())
        await asyncio.sleep(secs)
        assert not running.done()
        await stop([running])
        return self.term.context.status.state


def disconnects(cause: str) -> float:
    name = "tradedad_ingest_feed_disconnects_total"
    return REGISTRY.get_sample_value(name, {"cause": cause}) or 0.0


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (FeedError("close_1000"), FeedState.CONNECTING),
        (FeedSilent("silent", "no frame for 15 s"), FeedState.STALE),
    ],
)
@on_virtual_time
async def test_the_state_shows_why_a_connection_ended(end: FeedError, state: FeedState) -> None:
    before = disconnects(end.cause)
    following = Following(end)
    assert await following.follow(0.04) is state
    assert following.feed.tokens == ["first"]
    assert disconnects(end.cause) == before + 1


@on_virtual_time
async def test_a_refused_token_is_followed_by_the_next_one_at_once() -> None:
    following = Following(FeedError("close_1000"), lifetime_secs=100.0)
    following.feed.refusals["first"] = FeedUnauthorised("unauthorised", "HTTP 401")
    assert await following.follow(0.01) is FeedState.UNAUTHORISED
    assert following.feed.tokens == ["first", "second"]


@on_virtual_time
async def test_a_replaced_token_is_followed_by_the_new_one_at_once() -> None:
    following = Following(TokenReplaced("token_replaced"), lifetime_secs=1.0)
    running = asyncio.create_task(following.follow(1.5))
    await asyncio.sleep(0.5)
    following.source.token = "new"
    assert await running is FeedState.CONNECTING
    assert following.feed.tokens == ["first", "new"]


@on_virtual_time
async def test_without_a_token_the_feed_is_unauthorised_until_there_is_one() -> None:
    following = Following(FeedError("close_1000"), lifetime_secs=100.0)
    following.feed.refusals = dict.fromkeys(["first", "second"], FeedUnauthorised("unauthorised"))
    assert await following.follow(5.5) is FeedState.UNAUTHORISED
    assert following.feed.tokens == ["first", "second"], "refused tokens are not tried again"
    following.source.token = "new"
    await following.follow(1.5)
    assert following.feed.tokens[-1] == "new"


@on_virtual_time
async def test_a_key_that_is_demanded_while_there_is_no_token_is_pending() -> None:
    following = Following(FeedError("close_1000"), lifetime_secs=100.0)
    following.feed.refusals = dict.fromkeys(["first", "second"], FeedUnauthorised("unauthorised"))
    running = asyncio.create_task(following.follow(5.5))
    await asyncio.sleep(2.0)
    following.term.demand.update(Demand(gateway="g", rev=7, quotes=[OTHER_KEY]), 0.0)
    await running
    coverage = following.term.context.coverage._coverage
    assert coverage.pending == sorted([KEY, OTHER_KEY])
    assert coverage.seen == {"g": 7}


def token_expiry_secs() -> float | None:
    return REGISTRY.get_sample_value("tradedad_ingest_token_expiry_timestamp_seconds")


@on_virtual_time
async def test_the_expiry_of_the_token_in_use_is_a_metric() -> None:
    following = Following(FeedError("close_1000"), lifetime_secs=100.0)
    running = asyncio.create_task(following.follow(5.5))
    await asyncio.sleep(1.0)
    # The loop's time begins at 05:30 IST; the next 03:30 IST is 22 hours later.
    assert token_expiry_secs() == 22 * 3_600
    await running
    assert token_expiry_secs() == 0.0, "a process that does not lead has no token in use"


@on_virtual_time
async def test_without_a_token_there_is_no_expiry() -> None:
    following = Following(FeedError("close_1000"), lifetime_secs=100.0)
    following.feed.refusals = dict.fromkeys(["first", "second"], FeedUnauthorised("unauthorised"))
    running = asyncio.create_task(following.follow(5.5))
    await asyncio.sleep(5.0)
    assert token_expiry_secs() == 0.0
    await running


@on_virtual_time
async def test_short_connections_are_retried_with_growing_delays() -> None:
    following = Following(FeedError("close_1000"))
    await following.follow(600.0)
    assert 20 < len(following.feed.tokens) < 250


@on_virtual_time
async def test_a_connection_that_lasted_is_retried_within_half_a_second() -> None:
    following = Following(FeedError("close_1000"), lifetime_secs=31.0)
    await following.follow(10 * 31.6)
    assert len(following.feed.tokens) >= 10


@on_virtual_time
async def test_without_a_connection_all_instruments_are_pending() -> None:
    following = Following(FeedError("close_1000"))
    await following.follow(0.04)
    pending = REGISTRY.get_sample_value(
        "tradedad_ingest_not_live_instruments", {"reason": "pending"}
    )
    assert pending == 1.0


@on_virtual_time
async def test_a_lost_lease_ends_the_follower() -> None:
    following = Following(LeaseLost("expired"))
    with pytest.raises(ExceptionGroup) as raised:
        await following.follower.run()
    assert raised.value.subgroup(LeaseLost) is not None
