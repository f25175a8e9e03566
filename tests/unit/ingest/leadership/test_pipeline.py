"""Each frame is decoded, merged and published; bad frames are skipped up to a limit."""

import asyncio
from typing import Any, Self

import pytest
from prometheus_client import REGISTRY
from upstox_client.feeder.proto import MarketDataFeedV3_pb2 as pb

from services.ingest import metrics
from services.ingest.demand.limits import LIMITS
from services.ingest.feed.source import Frame
from services.ingest.leadership.pipeline import Pipeline
from services.ingest.leadership.subscriber import Subscriber
from shared.contracts.messages import FeedState, decode_quote
from shared.contracts.subjects import quote_subject
from shared.errors import FeedError
from shared.runtime.tasks import stop
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY, full_feed
from tests.support.ingest_fakes import FakeConnection, IngestTerm
from tests.support.virtual_time import LoopClock, on_virtual_time

RECEIVED_US = MONDAY_10_00 * 1_000
MONDAY_20_00 = MONDAY_10_00 + 10 * 3_600_000


class Processing:
    """A running pipeline with a connection to put frames into."""

    async def __aenter__(self) -> Self:
        clock = LoopClock()
        self.term = IngestTerm(clock, KEY)
        self.term.subscribe(KEY)
        self.changed = asyncio.Event()
        self.subscriber = subscriber = Subscriber(
            self.term.context,
            self.term.demand,
            self.changed,
            self.term.subscriptions,
            LIMITS["basic"],
            clock,
            unknown_after_secs=10.0,
        )
        subscriber.quoted_keys = frozenset({KEY})
        pipeline = Pipeline(
            self.term.context,
            self.term.hours,
            subscriber,
            self.term.demand,
            clock,
            max_ahead_secs=60.0,
        )
        self.connection = FakeConnection()
        self.running = asyncio.create_task(pipeline.run(self.connection))
        self._packing = asyncio.create_task(pipeline.run_packing())
        return self

    async def __aexit__(self, *_: object) -> None:
        await stop([self.running, self._packing])

    async def receive(self, *messages: Any, received_us: int = RECEIVED_US) -> None:
        """Put frames into the connection and let them be processed."""
        for message in messages:
            data = message if isinstance(message, bytes) else message.SerializeToString()
            self.connection.queue.put_nowait(Frame(data, received_us))
        await asyncio.sleep(0.01)

    @property
    def state(self) -> FeedState:
        return self.term.context.status.state

    def prices(self) -> list[float | None]:
        return [decode_quote(data).ltp for data in self.term.bus.of(quote_subject(KEY))]


def message(ltp: float, *, ts: int = MONDAY_10_00, kind: int = pb.live_feed, **feed: Any) -> Any:
    response = pb.FeedResponse(type=kind, currentTs=ts)
    response.feeds[KEY].CopyFrom(full_feed(ltp=ltp, **feed))
    return response


def market_info(status: int) -> Any:
    response = pb.FeedResponse(type=pb.market_info, currentTs=MONDAY_10_00)
    response.marketInfo.segmentStatus["NSE_EQ"] = status
    return response


def count(name: str) -> float:
    return REGISTRY.get_sample_value(f"tradedad_ingest_{name}_total") or 0.0


@on_virtual_time
async def test_a_frame_becomes_a_quote_and_makes_the_feed_live() -> None:
    async with Processing() as processing:
        await processing.receive(message(1.0), message(2.0, ts=MONDAY_10_00 + 500))
        assert processing.prices() == [1.0, 2.0]
        assert processing.state is FeedState.LIVE
        assert processing.term.exchange_clock.feed_ms == MONDAY_10_00 + 500
        assert processing.changed.is_set(), "the first data of a subscription changes the coverage"


@on_virtual_time
async def test_the_first_frame_after_the_session_makes_the_feed_closed() -> None:
    async with Processing() as processing:
        await processing.receive(message(1.0, ts=MONDAY_20_00), received_us=MONDAY_20_00 * 1_000)
        assert processing.state is FeedState.CLOSED


@on_virtual_time
async def test_a_market_status_reaches_the_market_hours() -> None:
    async with Processing() as processing:
        await processing.receive(market_info(pb.NORMAL_CLOSE))
        assert not processing.term.hours.is_open("NSE_EQ", MONDAY_10_00)


@on_virtual_time
async def test_a_frame_ahead_of_the_local_clock_is_skipped() -> None:
    before = count("bad_frames")
    async with Processing() as processing:
        await processing.receive(message(1.0, ts=MONDAY_10_00 + 60_001))
        assert processing.prices() == []
        assert processing.state is FeedState.STALE
        assert processing.term.exchange_clock.feed_ms == 0
        await processing.receive(message(2.0, ts=MONDAY_10_00 + 60_000))
        assert processing.prices() == [2.0]
    assert count("bad_frames") == before + 1


@on_virtual_time
async def test_unreadable_frames_are_skipped_and_counted() -> None:
    before = count("bad_frames")
    async with Processing() as processing:
        await processing.receive(*[b"\xff"] * 19, message(1.0), *[b"\xff"] * 19)
        assert processing.prices() == [1.0]
        assert not processing.running.done()
    assert count("bad_frames") == before + 38


@on_virtual_time
async def test_twenty_consecutive_unreadable_frames_end_the_connection() -> None:
    async with Processing() as processing:
        await processing.receive(*[b"\xff"] * 20)
        error = processing.running.exception()
        assert isinstance(error, FeedError)
        assert error.cause == "garbage"


@on_virtual_time
async def test_values_out_of_range_are_counted_by_field() -> None:
    before = metrics.BAD_FIELDS.labels("key")._value.get()
    async with Processing() as processing:
        response = message(1.0)
        response.feeds["RELIANCE"].CopyFrom(full_feed(ltp=1.0))
        await processing.receive(response)
        assert processing.prices() == [1.0]
    assert metrics.BAD_FIELDS.labels("key")._value.get() == before + 1


@on_virtual_time
async def test_a_frame_without_a_time_is_skipped_and_counted() -> None:
    before = count("bad_frames")
    async with Processing() as processing:
        response = message(1.0)
        response.currentTs = 0
        await processing.receive(response)
        assert processing.prices() == []
    assert count("bad_frames") == before + 1


@pytest.mark.parametrize(("volume", "timeout_secs"), [(9, 30.0), (12, 15.0)])
@on_virtual_time
async def test_a_snapshot_shows_whether_the_last_timeout_was_justified(
    volume: int, timeout_secs: float
) -> None:
    async with Processing() as processing:
        await processing.receive(message(1.0, ltt=MONDAY_10_00, vtt=9))
        processing.term.context.watchdog.check(1e6)
        await processing.receive(message(1.0, ltt=MONDAY_10_00, vtt=volume, kind=pb.initial_feed))
        assert processing.term.context.watchdog.timeout_secs == timeout_secs


@on_virtual_time
async def test_order_books_are_packed_within_a_second() -> None:
    async with Processing() as processing:
        await processing.receive(message(1.0, book=[(1.0, 10, 2.0, 20)]))
        instrument = processing.term.context.normaliser.instruments[KEY]
        books = [instrument.book]
        await asyncio.sleep(1.0)
        books.append(instrument.book)
        assert [book is None for book in books] == [False, True]
        assert instrument.packed_book() is not None


@on_virtual_time
async def test_the_end_of_the_connection_ends_the_pipeline() -> None:
    async with Processing() as processing:
        processing.connection.queue.put_nowait(FeedError("close_1000"))
        await asyncio.sleep(0.01)
        assert isinstance(processing.running.exception(), FeedError)


@on_virtual_time
async def test_an_instrument_that_only_chains_need_or_nobody_has_no_quotes() -> None:
    async with Processing() as processing:
        processing.subscriber.quoted_keys = frozenset({OTHER_KEY})
        await processing.receive(message(1.0))
        assert processing.prices() == []
        assert processing.term.context.normaliser.instruments[KEY].quote.ltp == 1.0
        processing.subscriber.quoted_keys = frozenset({KEY})
        await processing.receive(message(2.0))
        assert processing.prices() == [2.0]
