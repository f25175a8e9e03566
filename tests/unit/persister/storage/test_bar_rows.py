"""Bars decoded from raw batches equal the stored bars."""

from functools import partial
from typing import Any

import bson
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.persister.storage.bar_rows import PROJECTED_FIELDS, decode_rows
from services.persister.storage.documents import bar_document
from shared.contracts.history import BarSource, HistoryBar, HistoryBarState
from shared.contracts.messages import Bar, BarState
from shared.market.exchange_time import WINDOW_MS

START = 1_767_607_200_000
KEY = "NSE_EQ|INE002A01018"

A_BAR = Bar(
    key=KEY, start=START, open=1.0, high=2.0, low=0.5, close=1.5, ltq=1, ltt=START, volume=7,
    vtt=7, atp=1.0, oi=None, ticks=3, state=BarState.COMPLETE, silent_ms=0, epoch=1,
)  # fmt: skip

prices = st.floats(min_value=0, max_value=1e9)
integers = st.integers(min_value=0, max_value=(1 << 63) - 1) | st.integers(0, 1_000)
times = st.integers(min_value=0, max_value=START)

stored_bars = st.builds(
    partial(msgspec.structs.replace, A_BAR),
    open=prices,
    high=prices,
    low=prices,
    close=prices,
    ltq=integers | st.none(),
    ltt=times | st.none(),
    volume=integers | st.none(),
    vtt=integers | st.none(),
    atp=prices | st.none(),
    oi=integers | st.none(),
    ticks=integers,
    state=st.sampled_from(BarState),
    silent_ms=integers,
)


def row(bar: Bar, number: int = 0, **more: Any) -> dict[str, Any]:
    """The projected fields of the bar's document, moved `number` windows later."""
    document = bar_document(msgspec.structs.replace(bar, start=START + number * WINDOW_MS))
    return {name: document[name] for name in PROJECTED_FIELDS if name in document} | more


def batch(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(map(bson.encode, rows))


def expected(bars: list[Bar]) -> list[HistoryBar]:
    return [
        HistoryBar(
            start=START + number * WINDOW_MS,
            end=START + number * WINDOW_MS + WINDOW_MS,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            ltq=bar.ltq,
            ltt=bar.ltt,
            volume=bar.volume,
            vtt=bar.vtt,
            atp=bar.atp,
            oi=bar.oi,
            ticks=bar.ticks,
            state=HistoryBarState(bar.state.value),
            silent_ms=bar.silent_ms,
        )
        for number, bar in enumerate(bars)
    ]


@given(st.lists(stored_bars, max_size=12))
def test_decoded_bars_equal_the_stored_bars(bars: list[Bar]) -> None:
    assert decode_rows(batch([row(bar, n) for n, bar in enumerate(bars)])) == expected(bars)


@given(stored_bars, st.lists(prices, min_size=1, max_size=12))
def test_bars_of_one_layout_equal_the_stored_bars(first: Bar, closes: list[float]) -> None:
    bars = [msgspec.structs.replace(first, close=close) for close in closes]
    assert decode_rows(batch([row(bar, n) for n, bar in enumerate(bars)])) == expected(bars)


def test_an_empty_batch_has_no_bars() -> None:
    assert decode_rows(b"") == []


def test_rows_of_equal_size_may_have_different_null_fields() -> None:
    without_oi = A_BAR
    without_volume = msgspec.structs.replace(A_BAR, volume=None, oi=7)
    rows = [row(without_oi, 0), row(without_volume, 1)]
    assert len(bson.encode(rows[0])) == len(bson.encode(rows[1]))
    assert decode_rows(batch(rows)) == expected([without_oi, without_volume])


def test_a_price_that_is_stored_as_an_integer_is_decoded_as_a_float() -> None:
    (bar,) = decode_rows(batch([row(A_BAR, open=1)]))
    assert bar.open == 1.0
    assert isinstance(bar.open, float)


def test_a_bar_with_a_source_is_decoded_among_others() -> None:
    rows = [row(A_BAR), row(A_BAR, 1, source="upstox"), row(A_BAR, 2, open=1, source="upstox")]
    sources = [None, BarSource.UPSTOX, BarSource.UPSTOX]
    assert [bar.source for bar in decode_rows(batch(rows))] == sources
    assert [bar.source for bar in decode_rows(batch(rows[1:2] * 3))] == [BarSource.UPSTOX] * 3


def test_fields_in_another_order_are_decoded() -> None:
    backwards = dict(reversed(row(A_BAR).items()))
    assert decode_rows(batch([backwards])) == expected([A_BAR])


def test_64_bit_numbers_can_be_encoded_as_json() -> None:
    bar = msgspec.structs.replace(A_BAR, volume=1 << 40, oi=1 << 41)
    for rows in ([row(bar)], [row(bar), row(bar, 1, open=1)]):
        assert msgspec.json.decode(
            msgspec.json.encode(decode_rows(batch(rows))), type=list[HistoryBar]
        ) == expected([bar] * len(rows))
