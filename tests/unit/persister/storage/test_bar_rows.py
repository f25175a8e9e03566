"""Bars of raw batches, held to what the driver's own decoding makes of the same documents."""

from functools import partial
from typing import Any

import bson
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.persister.storage.bar_rows import SHOWN, bars_of
from services.persister.storage.documents import bar_document
from shared.contracts.history import HistoryBar
from shared.contracts.messages import Bar, BarState
from shared.market.exchange_time import WINDOW_MS

START = 1_767_607_200_000
KEY = "NSE_EQ|INE002A01018"

A_BAR = Bar(
    key=KEY, start=START, open=1.0, high=2.0, low=0.5, close=1.5, ltq=1, ltt=START, volume=7,
    vtt=7, atp=1.0, oi=None, ticks=3, state=BarState.COMPLETE, silent_ms=0, epoch=1,
)  # fmt: skip

prices = st.floats(min_value=0, max_value=1e9)
wholes = st.integers(min_value=0, max_value=(1 << 63) - 1) | st.integers(0, 1_000)


stored_bars = st.builds(
    partial(msgspec.structs.replace, A_BAR),
    open=prices,
    high=prices,
    low=prices,
    close=prices,
    volume=wholes | st.none(),
    oi=wholes | st.none(),
    ticks=wholes,
    state=st.sampled_from(BarState),
    silent_ms=wholes,
)


def row(bar: Bar, number: int = 0, **more: Any) -> dict[str, Any]:
    """What a query shows of the bar, as that of a later window."""
    document = bar_document(msgspec.structs.replace(bar, start=START + number * WINDOW_MS))
    return {name: document[name] for name in SHOWN} | more


def batch(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(map(bson.encode, rows))


def shown(bars: list[Bar]) -> list[HistoryBar]:
    return [
        HistoryBar(
            start=START + number * WINDOW_MS,
            end=START + number * WINDOW_MS + WINDOW_MS,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
            oi=bar.oi,
            ticks=bar.ticks,
            state=bar.state,
            silent_ms=bar.silent_ms,
        )
        for number, bar in enumerate(bars)
    ]


@given(st.lists(stored_bars, max_size=12))
def test_bars_are_read_as_they_were_stored_whatever_they_are(bars: list[Bar]) -> None:
    assert bars_of(batch([row(bar, n) for n, bar in enumerate(bars)])) == shown(bars)


@given(stored_bars, st.lists(prices, min_size=1, max_size=12))
def test_bars_that_differ_in_a_price_alone_are_read_as_they_were_stored(
    first: Bar, closes: list[float]
) -> None:
    bars = [msgspec.structs.replace(first, close=close) for close in closes]
    assert bars_of(batch([row(bar, n) for n, bar in enumerate(bars)])) == shown(bars)


def test_an_empty_batch_has_no_bars() -> None:
    assert bars_of(b"") == []


def test_rows_of_one_size_may_lack_different_fields() -> None:
    without_oi = A_BAR
    without_volume = msgspec.structs.replace(A_BAR, volume=None, oi=7)
    rows = [row(without_oi, 0), row(without_volume, 1)]
    assert len(bson.encode(rows[0])) == len(bson.encode(rows[1]))
    assert bars_of(batch(rows)) == shown([without_oi, without_volume])


def test_a_price_that_another_writer_stored_as_a_whole_number_is_one_of_a_price() -> None:
    (bar,) = bars_of(batch([row(A_BAR, open=1)]))
    assert bar.open == 1.0
    assert isinstance(bar.open, float)


def test_fields_in_another_order_are_read_too() -> None:
    backwards = dict(reversed(row(A_BAR).items()))
    assert bars_of(batch([backwards])) == shown([A_BAR])


def test_numbers_of_64_bits_can_be_encoded_as_json() -> None:
    bar = msgspec.structs.replace(A_BAR, volume=1 << 40, oi=1 << 41)
    for rows in ([row(bar)], [row(bar), row(bar, 1, open=1)]):
        assert msgspec.json.decode(
            msgspec.json.encode(bars_of(batch(rows))), type=list[HistoryBar]
        ) == shown([bar] * len(rows))
