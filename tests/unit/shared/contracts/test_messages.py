"""Messages keep their documented JSON form."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given

from shared.contracts.messages import (
    Bar,
    BarState,
    Candle,
    ClockTick,
    Depth,
    FeedState,
    FeedStatus,
    Greeks,
    Quote,
    decode_candle,
    decode_clock,
    decode_depth,
    decode_quote,
    decode_status,
    encode,
)
from tests.support.quote_strategies import quote_fields

REQUIRED = {"key": "NSE_EQ|INE002A01018", "epoch": 7, "seq": 3, "ts": 1, "rt": 2}

quotes = quote_fields.map(lambda values: Quote(**values))


@given(quotes)
def test_a_quote_keeps_every_digit_through_json(quote: Quote) -> None:
    assert decode_quote(encode(quote)) == quote


@given(quotes)
def test_the_json_of_a_quote_has_exactly_the_fields_with_a_value(quote: Quote) -> None:
    fields = msgspec.structs.asdict(quote)
    expected = {name: value for name, value in fields.items() if value is not None}
    if not quote.snap:
        del expected["snap"]
    assert json.loads(encode(quote)) == expected


def test_the_json_of_a_quote_is_as_documented() -> None:
    quote = Quote(
        key="NSE_EQ|INE002A01018",
        epoch=41,
        seq=1207,
        ts=1795317300123,
        ltt=1795317300100,
        ltp=1290.35,
        ltq=25,
        cp=1284.1,
        open=1286.0,
        high=1291.55,
        low=1283.7,
        volume=4811202,
        atp=1288.07,
        oi=0,
        bid=1290.3,
        bid_qty=120,
        ask=1290.35,
        ask_qty=75,
        tbq=310022,
        tsq=402311,
        iep=1290.4,
        ieq=8100,
        rt=1795317300160042,
    )
    assert encode(quote) == (
        b'{"key":"NSE_EQ|INE002A01018","epoch":41,"seq":1207,"ts":1795317300123,'
        b'"rt":1795317300160042,"ltt":1795317300100,"ltp":1290.35,"ltq":25,"cp":1284.1,'
        b'"open":1286.0,"high":1291.55,"low":1283.7,"volume":4811202,"atp":1288.07,"oi":0,"bid":1290.3,"bid_qty":120,'
        b'"ask":1290.35,"ask_qty":75,"tbq":310022,"tsq":402311,"iep":1290.4,"ieq":8100}'
    )


def test_zero_is_encoded_and_unknown_is_absent() -> None:
    quote = Quote(**REQUIRED, volume=0, oi=0)  # type: ignore[arg-type]
    assert json.loads(encode(quote)) == {**REQUIRED, "volume": 0, "oi": 0}
    assert decode_quote(encode(quote)).ltp is None


def test_an_entry_from_before_the_prices_of_the_day_has_none_of_them() -> None:
    older = {**REQUIRED, "ltp": 1290.35, "volume": 5, "bid": 1290.3, "bid_qty": 9, "snap": True}
    quote = decode_quote(json.dumps(older).encode())
    assert (quote.ltp, quote.snap) == (1290.35, True)
    assert (quote.open, quote.high, quote.low, quote.iep, quote.ieq) == (None,) * 5


def test_unknown_fields_are_ignored() -> None:
    newer = {**REQUIRED, "iv": 0.21, "greeks": {"delta": [1, None]}, "ltp": 5}
    assert decode_quote(json.dumps(newer).encode()) == Quote(**REQUIRED, ltp=5.0)  # type: ignore[arg-type]
    clock = {"feed_ts": 1, "ts": 1, "epoch": 2, "seq": 3, "state": "live", "lag": 4}
    assert decode_clock(json.dumps(clock).encode()).seq == 3
    status = {"state": "stale", "since": 1, "epoch": 2, "new": {}}
    assert decode_status(json.dumps(status).encode()).state is FeedState.STALE


@pytest.mark.parametrize("field", sorted(REQUIRED))
def test_a_quote_without_a_required_field_is_refused(field: str) -> None:
    body = {name: value for name, value in REQUIRED.items() if name != field}
    with pytest.raises(msgspec.DecodeError, match=field):
        decode_quote(json.dumps(body).encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff",
        json.dumps({**REQUIRED, "seq": 1.5}).encode(),
        json.dumps({**REQUIRED, "ltp": "1290"}).encode(),
        json.dumps({**REQUIRED, "volume": True}).encode(),
    ],
)
def test_a_malformed_quote_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_quote(body)


def test_a_clock_tick_and_a_status_are_unchanged_through_json() -> None:
    tick = ClockTick(feed_ts=1, ts=5, epoch=2, seq=400, state=FeedState.FAILING_OVER)
    assert decode_clock(encode(tick)) == tick
    assert json.loads(encode(tick))["state"] == "failing_over"
    status = FeedStatus(state=FeedState.LIVE, since=9, epoch=2, segments={"NSE_EQ": "NORMAL_OPEN"})
    assert decode_status(encode(status)) == status
    assert "detail" not in json.loads(encode(status))


def test_an_unknown_feed_state_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError, match="asleep"):
        decode_clock(b'{"ts":1,"epoch":2,"seq":3,"state":"asleep"}')


def test_a_bar_of_an_index_has_null_for_missing_values() -> None:
    bar = Bar(
        key="NSE_INDEX|Nifty 50", start=0, open=1.5, high=2.5, low=1.0, close=2.0, ltq=None, ltt=4,
        volume=None, vtt=None, atp=None, oi=None, ticks=3, state=BarState.PARTIAL, silent_ms=1_000,
        epoch=2,
    )  # fmt: skip
    body: dict[str, Any] = json.loads(encode(bar))
    assert body == {**msgspec.structs.asdict(bar), "state": "partial"}
    assert msgspec.json.decode(encode(bar), type=Bar) == bar


def test_messages_are_immutable() -> None:
    quote = Quote(**REQUIRED)  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        quote.ltp = 1.0  # type: ignore[misc]


def test_a_candle_is_unchanged_through_json() -> None:
    candle = Candle(
        key="NSE_INDEX|Nifty 50", start=60_000, open=1.5, high=2.0, low=1.0, close=1.25,
        epoch=3, ts=121_000,
    )  # fmt: skip
    assert decode_candle(encode(candle)) == candle
    assert b"volume" not in encode(candle), "unknown must be absent, not zero"


def test_an_order_book_is_unchanged_through_json() -> None:
    book = Depth(
        key="NSE_FO|1", epoch=3, seq=9, ts=1, rt=2, bids=[(1.5, 10)], asks=[],
        greeks=Greeks(delta=0.5, theta=-3.0, gamma=0.1, vega=9.0, rho=0.2), iv=0.14,
    )  # fmt: skip
    assert decode_depth(encode(book)) == book
    assert b'"bids":[[1.5,10]],"asks":[]' in encode(book)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ltp", 0), ("ltp", -1.0), ("ltp", 1e9), ("cp", 1e300), ("oi", 2**64), ("oi", 2**53),
        ("volume", 2**63), ("volume", -1), ("ltq", 1e20), ("ltt", 10**14), ("ts", -1),
        ("tbq", "5"), ("epoch", 2**63), ("seq", None), ("open", 0), ("high", 1e9), ("low", -1),
        ("iep", 0), ("ieq", -1),
    ],
)  # fmt: skip
def test_a_quote_with_a_value_out_of_range_is_refused(field: str, value: Any) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_quote(json.dumps(REQUIRED | {field: value}).encode())


@pytest.mark.parametrize(
    ("field", "value"), [("open", None), ("high", -1), ("volume", 10**20), ("start", 10**18)]
)
def test_a_candle_with_a_value_out_of_range_is_refused(field: str, value: Any) -> None:
    good = {
        "key": "NSE_EQ|X", "start": 60_000, "open": 1.0, "high": 2.0, "low": 1.0, "close": 2.0,
        "volume": 5, "epoch": 1, "ts": 120_000,
    }  # fmt: skip
    assert decode_candle(json.dumps(good).encode()).volume == 5
    with pytest.raises(msgspec.DecodeError):
        decode_candle(json.dumps(good | {field: value}).encode())


@pytest.mark.parametrize(
    ("field", "value"),
    [("epoch", -1), ("seq", 2**63), ("ts", 10**14), ("rt", 10**400), ("levels", 2**70)],
)
def test_an_order_book_with_a_number_out_of_range_is_refused(field: str, value: int) -> None:
    book: dict[str, Any] = {
        "key": "NSE_FO|1", "epoch": 3, "seq": 9, "ts": 1, "rt": 2, "bids": [], "asks": [],
    }  # fmt: skip
    with pytest.raises(msgspec.ValidationError):
        decode_depth(json.dumps(book | {field: value}).encode())
