"""Whatever values a frame has, no field leaves its range, and no other field is lost."""

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.normalise.depth import depth_of
from services.ingest.normalise.instrument_state import encode_quote
from services.ingest.normalise.normaliser import Normaliser
from services.ingest.normalise.ranges import MAX_LATE_MS, MAX_QUANTITY, is_book_in_range
from shared.contracts.messages import decode_quote
from shared.market.exchange_time import day_start
from tests.support.builders import KEY, MONDAY_10_00, full_feed

DOUBLE = st.floats() | st.sampled_from([0.0, -0.0, 2.0**53, 2.0**63, 2.0**64, 1_400.05])
INT64 = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, 1, 2**53, MONDAY_10_00])
LEVELS = st.lists(st.tuples(DOUBLE, INT64, DOUBLE, INT64), max_size=5)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "ltp": DOUBLE, "ltt": INT64, "ltq": INT64, "cp": DOUBLE, "vtt": INT64, "atp": DOUBLE,
    "oi": DOUBLE, "tbq": DOUBLE, "tsq": DOUBLE, "book": LEVELS, "iv": DOUBLE, "delta": DOUBLE,
    "minute": st.tuples(INT64, DOUBLE, DOUBLE, DOUBLE, DOUBLE, INT64),
    "day": st.tuples(INT64 | st.just(day_start(MONDAY_10_00)), DOUBLE, DOUBLE, DOUBLE),
    "iep": DOUBLE, "ieq": INT64,
}  # fmt: skip


def is_quantity(value: int | None) -> bool:
    return value is None or 0 <= value <= MAX_QUANTITY


def is_price(value: float | None) -> bool:
    return value is None or (math.isfinite(value) and value > 0)


@given(st.lists(st.fixed_dictionaries({}, optional=FIELDS), min_size=1, max_size=4))
def test_random_values_leave_every_field_in_range(frames: list[dict[str, Any]]) -> None:
    normaliser = Normaliser(epoch=9)
    for fields in frames:
        merged = normaliser.apply(
            {KEY: full_feed(**fields)}, ts=MONDAY_10_00, received_us=7, snapshot=False
        )
        (instrument,) = merged.updated
        quote = decode_quote(encode_quote(instrument.quote))
        for price in (
            quote.ltp, quote.cp, quote.atp, quote.bid, quote.ask, quote.open, quote.high, quote.low,
            quote.iep,
        ):  # fmt: skip
            assert is_price(price)
        for quantity in (
            quote.ltq, quote.volume, quote.oi, quote.bid_qty, quote.ask_qty, quote.tbq, quote.tsq,
            quote.ieq,
        ):  # fmt: skip
            assert is_quantity(quantity)
        assert quote.ltt is None or 0 < quote.ltt <= MONDAY_10_00 + MAX_LATE_MS
        for _, candle in merged.candles:
            assert candle.low <= min(candle.open, candle.close)
            assert max(candle.open, candle.close) <= candle.high
            assert is_price(candle.low)
            assert is_quantity(candle.volume)
        depth = depth_of(instrument)
        if depth is not None:
            assert is_book_in_range(depth.bids, depth.asks)


@given(st.sampled_from(sorted(set(FIELDS) - {"book", "minute", "iv", "delta"})), st.data())
def test_a_random_value_of_one_field_loses_no_other(name: str, data: st.DataObject) -> None:
    good: dict[str, Any] = {
        "ltp": 1_400.05, "ltt": MONDAY_10_00, "ltq": 3, "cp": 1_390.0, "vtt": 900, "atp": 1_395.5,
        "oi": 40.0, "tbq": 1_000.0, "tsq": 2_000.0, "book": [(1_399.9, 50, 1_400.1, 70)],
        "day": (day_start(MONDAY_10_00), 1_391.0, 1_402.0, 1_390.5), "iep": 1_401.0, "ieq": 500,
    }  # fmt: skip
    right = _quote_of(good)
    mutated = _quote_of(good | {name: data.draw(FIELDS[name])})
    affected = {
        "vtt": ["volume"], "ltp": ["ltp", "ltt", "ltq"], "ltt": ["ltp", "ltt", "ltq"],
        "day": ["open", "high", "low"], "iep": ["iep", "ieq"],
    }  # fmt: skip
    for field in (
        "ltp", "ltt", "ltq", "cp", "open", "high", "low", "volume", "atp", "oi", "bid", "ask",
        "tbq", "tsq", "iep", "ieq",
    ):  # fmt: skip
        if field not in affected.get(name, [name]):
            assert mutated[field] == right[field]


def _quote_of(fields: dict[str, Any]) -> dict[str, Any]:
    merged = Normaliser(epoch=9).apply(
        {KEY: full_feed(**fields)}, ts=MONDAY_10_00, received_us=7, snapshot=False
    )
    quote = merged.updated[0].quote
    return {name: getattr(quote, name) for name in quote.__struct_fields__}
