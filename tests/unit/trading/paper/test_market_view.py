"""Entries of TICKS become quotes with levels; what cannot be used is counted and changes nothing."""

from decimal import Decimal
from typing import Any

import pytest

from services.trading.paper.market import Level
from services.trading.paper.market_view import MarketView
from shared.contracts import messages
from shared.contracts.messages import FeedState
from shared.contracts.subjects import CLOCK, candle_subject, depth_subject, quote_subject
from shared.market.exchange_time import DAY_MS
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.builders import quote as build_quote

QUOTE = messages.encode(build_quote())


def apply_quote(view: MarketView, **fields: Any) -> messages.Quote | None:
    quote = build_quote(**fields)
    result = view.apply(quote_subject(quote.key), messages.encode(quote))
    assert result is None or isinstance(result, messages.Quote)
    return result


def encoded_book(**fields: Any) -> bytes:
    defaults: dict[str, Any] = {
        "key": KEY, "epoch": 1, "seq": 1, "ts": MONDAY_10_00, "rt": 0,
        "bids": [(99.95, 10), (99.9, 20)], "asks": [(100.05, 30)],
    }  # fmt: skip
    return messages.encode(messages.Depth(**(defaults | fields)))


def apply_book(view: MarketView, **fields: Any) -> bool:
    return view.apply(depth_subject(KEY), encoded_book(**fields)) is not None


def apply_clock(
    view: MarketView, ts: int, state: FeedState = FeedState.LIVE, epoch: int = 1
) -> None:
    tick = messages.ClockTick(ts=ts, feed_ts=ts, epoch=epoch, seq=1, state=state)
    view.apply(CLOCK, messages.encode(tick))


def test_prices_have_exactly_the_digits_of_the_feed() -> None:
    view = MarketView()
    apply_quote(view, ltp=1_402.35, bid=0.0025, bid_qty=5)
    quote = view.quote(KEY)
    assert quote is not None
    assert (quote.ltp, quote.bids) == (Decimal("1402.35"), (Level(Decimal("0.0025"), 5),))


def test_entries_of_an_older_leader_are_dropped_and_the_feed_of_a_newer_one_must_prove_itself() -> (
    None
):
    view = MarketView()
    apply_clock(view, MONDAY_10_00)
    is_live = [view.is_live]
    assert apply_quote(view, epoch=2) is not None
    assert apply_quote(view, seq=9) is None
    apply_clock(view, MONDAY_10_00 + 1_000)
    assert not apply_book(view)
    candle = messages.Candle(
        key=KEY, start=MONDAY_10_00, open=1, high=1, low=1, close=1, epoch=1, ts=MONDAY_10_00
    )
    assert view.apply(candle_subject(KEY), messages.encode(candle)) is None
    assert view.outdated == {"quote": 1, "clock": 1, "depth": 1, "candle": 1}
    assert view.state.quotes[KEY].seq == 1
    is_live.append(view.is_live)
    apply_clock(view, MONDAY_10_00 + 1_000, epoch=2)
    assert [*is_live, view.is_live] == [True, False, True]


def test_a_quote_of_a_lower_number_is_dropped() -> None:
    view = MarketView()
    apply_quote(view, seq=5, ltp=100.0)
    assert apply_quote(view, seq=4, ltp=90.0) is None
    assert (view.ltp(KEY), view.outdated) == (Decimal("100.0"), {"quote": 1})


def test_the_clock_never_goes_back() -> None:
    view = MarketView()
    apply_clock(view, MONDAY_10_00)
    apply_clock(view, MONDAY_10_00 - 1)
    assert (view.state.time_ms, view.outdated) == (MONDAY_10_00, {"clock": 1})


def test_with_a_new_day_order_books_and_very_old_quotes_are_forgotten() -> None:
    view = MarketView()
    apply_clock(view, MONDAY_10_00)
    apply_quote(view)
    apply_quote(view, key=OTHER_KEY, ts=MONDAY_10_00 + DAY_MS)
    apply_book(view)
    apply_clock(view, MONDAY_10_00 + DAY_MS)
    assert (view.state.books, set(view.state.quotes)) == ({}, {KEY, OTHER_KEY})
    apply_clock(view, MONDAY_10_00 + 8 * DAY_MS)
    assert set(view.state.quotes) == {OTHER_KEY}


@pytest.mark.parametrize(
    ("subject", "data", "kind"),
    [
        (quote_subject(KEY), b"{", "quote"),
        (quote_subject(KEY), QUOTE.replace(b"1400.0", b"-1400.0"), "quote"),
        (quote_subject(KEY), QUOTE.replace(b"1400.0", b"1e300"), "quote"),
        (quote_subject(OTHER_KEY), QUOTE, "quote"),
        (quote_subject(KEY), QUOTE.replace(b"NSE_EQ|", b"NSE_EQ-"), "quote"),
        (CLOCK, b'{"ts":1}', "clock"),
        (depth_subject(KEY), b"\xff", "depth"),
        (depth_subject(KEY), encoded_book(epoch=-1), "depth"),
        (depth_subject(KEY), encoded_book(ts=MONDAY_10_00 * 1_000), "depth"),
        (depth_subject(KEY), encoded_book(bids=[(0.0, 1)]), "depth"),
        (depth_subject(KEY), encoded_book(asks=[(1.0, -1)]), "depth"),
        (depth_subject(KEY), encoded_book(asks=[(1e9, 1)]), "depth"),
        (depth_subject(KEY), encoded_book(bids=[(1.0, 1), (2.0, 1)]), "depth"),
        (depth_subject(KEY), encoded_book(asks=[(1.0, 1), (1.0, 1)]), "depth"),
        (depth_subject(OTHER_KEY), encoded_book(), "depth"),
        (candle_subject(KEY), b"[]", "candle"),
    ],
)
def test_an_entry_that_is_not_what_its_subject_says_is_counted_and_changes_nothing(
    subject: str, data: bytes, kind: str
) -> None:
    view = MarketView()
    apply_clock(view, MONDAY_10_00)
    apply_quote(view, ltp=1_399.0)
    apply_book(view)
    before = messages.encode(view.state.quotes[KEY]), dict(view.state.books), view.state.time_ms
    assert view.apply(subject, data) is None
    assert before == (
        messages.encode(view.state.quotes[KEY]), view.state.books, view.state.time_ms,
    )  # fmt: skip
    assert view.undecodable == {kind: 1}


def test_entries_of_other_subjects_are_skipped() -> None:
    view = MarketView()
    assert view.apply("md.bar.5m.NSE_EQ.X", b"") is None
    assert (view.undecodable, view.outdated) == ({}, {})


def test_an_instrument_without_a_last_price_has_no_quote() -> None:
    view = MarketView()
    apply_quote(view, ltp=None, bid=99.95, bid_qty=1)
    assert (view.quote(KEY), view.ltp(KEY)) == (None, None)
    assert view.quote(OTHER_KEY) is None
