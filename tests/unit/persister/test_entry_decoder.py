"""Entries of the stream are decoded and applied in the order of their positions."""

import json

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.persister.aggregation.aggregator import Aggregator
from services.persister.aggregation.checkpoint import AggregatorState
from services.persister.aggregation.closed_windows import ClosedWindows
from services.persister.entry_decoder import apply_entry
from shared.bus.stream_reader import Entry
from shared.contracts.history import GapReason
from shared.contracts.messages import Candle, ClockTick, FeedState, encode
from shared.contracts.subjects import CANDLE_1M_PREFIX, CLOCK, depth_subject, quote_subject
from shared.market.exchange_time import WINDOW_MS
from tests.support.builders import KEY, MONDAY_10_00, quote

T0 = MONDAY_10_00
KINDS = {"quote": quote_subject(KEY), "clock": CLOCK, "candle": CANDLE_1M_PREFIX + "NSE_EQ.1"}


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


def undecodable(kind: str) -> float:
    name = "tradedad_persister_undecodable_entries_total"
    return REGISTRY.get_sample_value(name, {"kind": kind}) or 0.0


def test_quotes_candles_and_clock_ticks_are_applied() -> None:
    candle = Candle(
        key=KEY, start=T0 + 60_000, open=7.0, high=9.0, low=5.0, close=6.0, volume=3, epoch=1,
        ts=T0 + 120_000,
    )  # fmt: skip
    closed = closed_after(Entry(2, CANDLE_1M_PREFIX + "NSE_EQ.1", encode(candle)))
    (bar,) = closed.bars
    assert (bar.open, bar.low, bar.volume, closed.gaps) == (1_400.0, 5.0, 13, ())


@pytest.mark.parametrize("subject", [depth_subject(KEY), "md.status"])
def test_an_entry_that_does_not_concern_bars_is_skipped_and_not_lost(subject: str) -> None:
    before = [undecodable(kind) for kind in KINDS]
    assert closed_after(Entry(2, subject, b"{}")).gaps == ()
    assert [undecodable(kind) for kind in KINDS] == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("data", [b"", b"not JSON", b'{"key": 7}'])
def test_an_entry_that_cannot_be_decoded_is_counted_and_lost(kind: str, data: bytes) -> None:
    before = undecodable(kind)
    closed = closed_after(Entry(2, KINDS[kind], data))
    assert undecodable(kind) == before + 1
    assert closed.bars[0].silent_ms > 0
    assert {gap.reason for gap in closed.gaps} <= {GapReason.ENTRIES_LOST}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("oi", 2**64), ("volume", 2**63), ("ltp", "NaN"), ("ltq", float("nan")),
        ("tbq", float("inf")), ("ts", 10**18), ("epoch", 2**64), ("oi", [1]),
    ],
)  # fmt: skip
def test_a_quote_with_an_unusable_value_costs_only_itself(field: str, value: object) -> None:
    before = undecodable("quote")
    data = json.dumps(json.loads(encode(quote(ts=T0, ltt=T0))) | {field: value}).encode()
    closed = closed_after(Entry(2, quote_subject(KEY), data))
    assert undecodable("quote") == before + 1
    (bar,) = closed.bars
    assert (bar.close, bar.oi) == (quote().ltp, quote().oi)


def test_unusable_entries_are_logged_once_per_kind_and_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter([1_000_000.0, 1_000_000.0, 1_000_059.0, 1_000_059.0, 1_000_061.0, 1_000_061.0])
    monkeypatch.setattr("services.persister.entry_decoder.time.monotonic", lambda: next(times))
    with capture_logs() as logs:
        for _ in range(3):
            closed_after(Entry(2, KINDS["quote"], b"?"))
            closed_after(Entry(2, KINDS["candle"], b"?"))
    assert [each["kind"] for each in logs] == ["quote", "candle"] * 2
