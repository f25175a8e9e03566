"""Entries of the stream are decoded and applied in the order of their positions."""

import pytest
from prometheus_client import REGISTRY

from services.persister.aggregation.aggregator import Aggregator, ClosedWindows
from services.persister.aggregation.checkpoint import AggregatorState
from services.persister.entry_decoder import apply_entry
from shared.bus.stream_reader import Entry
from shared.contracts.history import GapReason
from shared.contracts.messages import Candle, ClockTick, FeedState, encode
from shared.contracts.subjects import CANDLE_1M_PREFIX, CLOCK, quote_subject
from shared.market.exchange_time import WINDOW_MS
from tests.support.builders import KEY, MONDAY_10_00, quote

T0 = MONDAY_10_00


def entry_of_quote(position: int, **fields: int | bool) -> Entry:
    return Entry(position, quote_subject(KEY), encode(quote(**fields)))


def entry_of_clock(position: int, ts: int) -> Entry:
    tick = ClockTick(ts=ts, feed_ts=ts, epoch=1, seq=0, state=FeedState.LIVE)
    return Entry(position, CLOCK, encode(tick))


def closed_after(second: Entry) -> ClosedWindows:
    """What closes if `second` is read between a first quote and a trade."""
    aggregator = Aggregator(AggregatorState(), grace_ms=0, silent_after_ms=1 << 40)
    apply_entry(aggregator, entry_of_quote(1, ltt=T0 - 1, snap=True))
    apply_entry(aggregator, second)
    apply_entry(aggregator, entry_of_quote(3, ts=T0 + 1, ltt=T0 + 1, volume=1_010))
    apply_entry(aggregator, entry_of_clock(4, T0 + WINDOW_MS + 60_000))
    closed = aggregator.take_closed()
    assert closed is not None
    return closed


def undecodable() -> float:
    name = "tradedad_persister_undecodable_entries_total"
    return REGISTRY.get_sample_value(name) or 0.0


def test_quotes_candles_and_clock_ticks_are_applied() -> None:
    candle = Candle(
        key=KEY, start=T0 + 60_000, open=7.0, high=9.0, low=5.0, close=6.0, volume=3, epoch=1,
        ts=T0 + 120_000,
    )  # fmt: skip
    closed = closed_after(Entry(2, CANDLE_1M_PREFIX + "NSE_EQ.1", encode(candle)))
    (bar,) = closed.bars
    assert (bar.open, bar.low, bar.volume, closed.gaps) == (1_400.0, 5.0, 13, ())


@pytest.mark.parametrize("subject", ["md.status", "md.coverage"])
def test_an_entry_that_does_not_concern_bars_is_skipped_and_not_lost(subject: str) -> None:
    before = undecodable()
    assert closed_after(Entry(2, subject, b"{}")).gaps == ()
    assert undecodable() == before


@pytest.mark.parametrize("subject", [quote_subject(KEY), CLOCK, CANDLE_1M_PREFIX + "NSE_EQ.1"])
@pytest.mark.parametrize("data", [b"", b"not JSON", b'{"key": 7}'])
def test_an_entry_that_cannot_be_decoded_is_counted_and_lost(subject: str, data: bytes) -> None:
    before = undecodable()
    closed = closed_after(Entry(2, subject, data))
    assert undecodable() == before + 1
    assert closed.bars[0].silent_ms > 0
    assert {gap.reason for gap in closed.gaps} <= {GapReason.ENTRIES_LOST}
