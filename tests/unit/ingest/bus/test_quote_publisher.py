"""Quotes are published in order, and conflated while NATS is unavailable."""

from typing import Any

import pytest

from services.ingest.bus.quote_publisher import QuotePublisher
from services.ingest.market.exchange_clock import ExchangeClock
from services.ingest.normalise.merge_result import MergeResult
from services.ingest.normalise.normaliser import Normaliser
from shared.bus.lease import Term
from shared.bus.refused_publishes import REFUSED_PUBLISHES
from shared.contracts.messages import (
    ClockTick,
    FeedState,
    Quote,
    decode_candle,
    decode_clock,
    decode_depth,
    decode_quote,
)
from shared.contracts.subjects import candle_subject, depth_subject, quote_subject
from shared.errors import LeaseLost
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY, full_feed, index_feed
from tests.support.ingest_fakes import EPOCH, FakeBus
from tests.support.virtual_time import LoopClock, on_virtual_time

MINUTE = (MONDAY_10_00 - 60_000, 1.0, 4.0, 0.5, 2.0, 70)
BOOK = [(1.0, 10, 2.0, 20)]


class Publishing:
    """A publisher with a fake bus and a normaliser."""

    def __init__(self, *, clock_every_quotes: int = 200) -> None:
        self.bus = FakeBus()
        self.term = Term(EPOCH, LoopClock(), float("inf"))
        self.exchange_clock = ExchangeClock()
        bus: Any = self.bus
        self.publisher = QuotePublisher(
            bus, bus, self.term, self.exchange_clock, clock_every_quotes=clock_every_quotes
        )
        self._normaliser = Normaliser(EPOCH)

    def merge(self, feed: Any, key: str = KEY) -> MergeResult:
        return self._normaliser.apply({key: feed}, ts=MONDAY_10_00, received_us=7, snapshot=False)

    async def publish(
        self, feed: Any, key: str = KEY, *, depth: frozenset[str] = frozenset()
    ) -> None:
        await self.publisher.publish(self.merge(feed, key), depth)

    def quotes(self, key: str = KEY) -> list[Quote]:
        return [decode_quote(data) for data in self.bus.of(quote_subject(key))]

    def clock_ticks(self) -> list[ClockTick]:
        return [decode_clock(data) for data in self.bus.of("md.clock")]


@on_virtual_time
async def test_quotes_of_an_instrument_are_numbered_without_gaps() -> None:
    publishing = Publishing()
    for ltp in (1.0, 2.0, 3.0):
        await publishing.publish(full_feed(ltp=ltp))
    assert [(quote.seq, quote.ltp) for quote in publishing.quotes()] == [
        (1, 1.0),
        (2, 2.0),
        (3, 3.0),
    ]
    assert {quote.epoch for quote in publishing.quotes()} == {EPOCH}


@on_virtual_time
async def test_a_candle_follows_the_quote_of_its_frame() -> None:
    publishing = Publishing()
    await publishing.publish(full_feed(ltp=2.0, minute=MINUTE))
    assert publishing.bus.subjects == [quote_subject(KEY), candle_subject(KEY)]
    assert decode_candle(publishing.bus.of(candle_subject(KEY))[0]).start == MINUTE[0]


@on_virtual_time
async def test_order_books_are_published_for_requested_keys_only() -> None:
    publishing = Publishing()
    await publishing.publish(full_feed(ltp=1.0, book=BOOK))
    await publishing.publish(full_feed(ltp=1.0, book=BOOK), depth=frozenset({KEY}))
    await publishing.publish(index_feed(ltp=1.0, ltt=1), OTHER_KEY, depth=frozenset({OTHER_KEY}))
    books = [data for subject, data in publishing.bus.messages if subject.startswith("md.depth.")]
    assert [decode_depth(data).seq for data in books] == [2]
    assert publishing.bus.of(depth_subject(KEY)) == books


@on_virtual_time
async def test_only_the_newest_quote_of_each_instrument_is_sent_after_an_outage() -> None:
    publishing = Publishing()
    await publishing.publish(full_feed(ltp=1.0))
    publishing.bus.is_up = False
    await publishing.publish(full_feed(ltp=2.0))
    await publishing.publish(index_feed(ltp=5.0, ltt=MONDAY_10_00), OTHER_KEY)
    await publishing.publish(full_feed(ltp=3.0))
    publishing.bus.is_up = True
    await publishing.publish(full_feed(ltp=4.0))
    assert [(quote.seq, quote.ltp) for quote in publishing.quotes()] == [(1, 1.0), (2, 4.0)]
    assert [quote.ltp for quote in publishing.quotes(OTHER_KEY)] == [5.0]


@on_virtual_time
async def test_every_candle_is_sent_after_an_outage() -> None:
    publishing = Publishing()
    publishing.bus.is_up = False
    starts = [MONDAY_10_00 + number * 60_000 for number in range(3)]
    for start in starts:
        feed = full_feed(ltp=1.0, minute=(start, *MINUTE[1:]))
        merged = Normaliser(EPOCH).apply({KEY: feed}, ts=start, received_us=7, snapshot=False)
        await publishing.publisher.publish(merged, frozenset())
    publishing.bus.is_up = True
    await publishing.publish(full_feed(ltp=2.0))
    candles = [decode_candle(data) for data in publishing.bus.of(candle_subject(KEY))]
    assert [candle.start for candle in candles] == starts


@on_virtual_time
async def test_a_batch_that_fails_is_sent_later_under_the_same_numbers() -> None:
    publishing = Publishing()
    publishing.bus.breaks = True
    await publishing.publish(full_feed(ltp=1.0, minute=MINUTE))
    publishing.bus.breaks = False
    await publishing.publish(index_feed(ltp=5.0, ltt=MONDAY_10_00), OTHER_KEY)
    assert [(quote.seq, quote.ltp) for quote in publishing.quotes()] == [(1, 1.0)]
    assert len(publishing.bus.of(candle_subject(KEY))) == 1


@on_virtual_time
async def test_each_batch_that_fails_is_counted_by_kind() -> None:
    publishing = Publishing()
    quotes, candles = (REFUSED_PUBLISHES.labels(kind) for kind in ("quotes", "candles"))
    before = quotes._value.get(), candles._value.get()
    publishing.bus.breaks = True
    await publishing.publish(full_feed(ltp=1.0, minute=MINUTE))
    assert (quotes._value.get(), candles._value.get()) == (before[0] + 1, before[1])
    publishing.bus.breaks_for = candle_subject(KEY)
    publishing.bus.breaks = False
    await publishing.publish(full_feed(ltp=2.0))
    assert (quotes._value.get(), candles._value.get()) == (before[0] + 1, before[1] + 1)
    assert [quote.ltp for quote in publishing.quotes()] == [2.0]
    publishing.bus.breaks_for = None
    await publishing.publish(full_feed(ltp=3.0))
    assert len(publishing.bus.of(candle_subject(KEY))) == 1


@on_virtual_time
async def test_queued_quotes_are_sent_without_a_new_frame() -> None:
    publishing = Publishing()
    publishing.bus.is_up = False
    await publishing.publish(full_feed(ltp=1.0))
    publishing.bus.is_up = True
    publishing.term.valid_until = 1.5
    with pytest.raises(LeaseLost):
        await publishing.publisher.run(1.0)
    assert [quote.ltp for quote in publishing.quotes()] == [1.0]


@on_virtual_time
async def test_the_clock_is_published_after_so_many_quotes() -> None:
    publishing = Publishing(clock_every_quotes=2)
    publishing.exchange_clock.receive(MONDAY_10_00, 0.0)
    for _ in range(5):
        await publishing.publish(full_feed(ltp=1.0))
    assert [tick.seq for tick in publishing.clock_ticks()] == [2, 4]


@on_virtual_time
async def test_the_clock_has_the_state_and_the_time_of_the_feed() -> None:
    publishing = Publishing()
    publishing.exchange_clock.receive(MONDAY_10_00, -2.0)
    publishing.exchange_clock.feed_state = FeedState.LIVE
    await publishing.publisher.publish_clock()
    assert publishing.clock_ticks() == [
        ClockTick(
            ts=MONDAY_10_00 + 2_000, feed_ts=MONDAY_10_00, epoch=EPOCH, seq=0, state=FeedState.LIVE
        )
    ]


@on_virtual_time
async def test_each_key_without_a_subscription_is_named_by_one_clock_tick() -> None:
    publishing = Publishing()
    publishing.exchange_clock.receive(MONDAY_10_00, 0.0)
    keys = frozenset(f"NSE_EQ|{number}" for number in range(1_500))
    await publishing.publisher.set_subscribed(keys | {KEY})
    publishing.bus.is_up = False
    await publishing.publisher.set_subscribed(frozenset({KEY}))
    publishing.bus.is_up = True
    for _ in range(2):
        await publishing.publisher.publish_clock()
    named = [tick.unsubscribed for tick in publishing.clock_ticks()]
    assert [len(one) for one in named] == [1_000, 500, 0]
    assert frozenset(named[0] + named[1]) == keys


@on_virtual_time
async def test_a_key_that_is_subscribed_again_before_it_was_named_is_not_named() -> None:
    publishing = Publishing()
    publishing.exchange_clock.receive(MONDAY_10_00, 0.0)
    await publishing.publisher.set_subscribed(frozenset({KEY, OTHER_KEY}))
    publishing.bus.is_up = False
    await publishing.publisher.set_subscribed(frozenset({KEY}))
    publishing.bus.is_up = True
    await publishing.publisher.set_subscribed(frozenset({KEY, OTHER_KEY}))
    await publishing.publisher.publish_clock()
    assert [tick.unsubscribed for tick in publishing.clock_ticks()] == [()]


@on_virtual_time
async def test_there_is_no_clock_before_the_first_frame() -> None:
    publishing = Publishing()
    await publishing.publisher.publish_clock()
    assert publishing.bus.messages == []


@on_virtual_time
async def test_nothing_is_sent_after_the_lease_has_expired() -> None:
    publishing = Publishing()
    publishing.term.valid_until = float("-inf")
    merged = publishing.merge(full_feed(ltp=1.0))
    with pytest.raises(LeaseLost):
        await publishing.publisher.publish(merged, frozenset())
    with pytest.raises(LeaseLost):
        await publishing.publisher.publish_depth(merged.updated)
    with pytest.raises(LeaseLost):
        await publishing.publisher.publish_clock()
    assert publishing.bus.messages == []
