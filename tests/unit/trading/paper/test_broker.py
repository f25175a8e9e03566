"""Commands, prices, demand; and kills at any entry, which change no result."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trading.paper.broker import PaperBroker
from services.trading.paper.results import PaperFill
from shared.contracts import messages
from shared.contracts.messages import FeedState
from shared.contracts.order_terms import Side, Validity
from shared.contracts.subjects import CLOCK, candle_subject, depth_subject, quote_subject
from shared.market.calendar_data import BUILT_IN, CalendarData
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import DAY_MS, MINUTE_MS
from tests.support.builders import KEY, MONDAY_10_00
from tests.support.paper_market import PaperMarket, Share, terms

KEYS = (KEY, KEY, "NSE_EQ|INE009A01021")
USERS = ("u1", "u2")
ENCODE = msgspec.msgpack.Encoder().encode

Step = Callable[[PaperBroker, int], object]
"""A command, or an entry at a position; returns what the broker answered."""
PRICES = st.integers(1_990, 2_010).map(lambda ticks: ticks / 20)
SIDES = st.lists(
    st.tuples(PRICES, st.integers(0, 60)), max_size=5, unique_by=lambda level: level[0]
)


@dataclass
class _Clock:
    """The state of the story's feed."""

    now_ms: int
    epoch: int = 1
    seq: int = 0
    volume: int = 1_000
    orders: int = 0


def _entry(subject: str, message: messages.Quote | messages.Depth | messages.ClockTick) -> Step:
    data = messages.encode(message)
    return lambda broker, position: broker.on_entry(position, subject, data)


def _quote(draw: st.DrawFn, clock: _Clock) -> Step:
    clock.seq += 1
    ltq = draw(st.integers(0, 80))
    clock.volume += ltq
    best = sorted(draw(st.lists(PRICES, min_size=2, max_size=2)))
    quote = messages.Quote(
        key=draw(st.sampled_from(KEYS)), epoch=clock.epoch, seq=clock.seq, ts=clock.now_ms,
        rt=0, ltp=draw(PRICES), ltt=clock.now_ms - draw(st.sampled_from((0, 0, 5_000))), ltq=ltq,
        volume=draw(st.sampled_from((clock.volume, clock.volume, 10))),
        bid=best[0], bid_qty=draw(st.integers(0, 60)), ask=best[1], ask_qty=draw(st.integers(0, 60)),
        snap=draw(st.integers(0, 4)) == 0,
    )  # fmt: skip
    return _entry(quote_subject(quote.key), quote)


def _book(draw: st.DrawFn, clock: _Clock) -> Step:
    book = messages.Depth(
        key=draw(st.sampled_from(KEYS)), epoch=clock.epoch, seq=clock.seq, ts=clock.now_ms, rt=0,
        bids=sorted(draw(SIDES), reverse=True), asks=sorted(draw(SIDES)),
    )  # fmt: skip
    return _entry(depth_subject(book.key), book)


def _tick(draw: st.DrawFn, clock: _Clock) -> Step:
    state = draw(st.sampled_from([*[FeedState.LIVE] * 4, FeedState.STALE]))
    tick = messages.ClockTick(
        ts=clock.now_ms, feed_ts=clock.now_ms, epoch=clock.epoch, seq=clock.seq, state=state
    )
    return _entry(CLOCK, tick)


def _candle(draw: st.DrawFn, clock: _Clock) -> Step:
    low, high = sorted(draw(st.lists(PRICES, min_size=2, max_size=2)))
    start_ms = clock.now_ms - clock.now_ms % MINUTE_MS
    candle = messages.Candle(
        key=draw(st.sampled_from(KEYS)), start=start_ms, open=low, high=high, low=low, close=high,
        epoch=clock.epoch, ts=clock.now_ms,
    )  # fmt: skip
    data = messages.encode(candle)
    return lambda broker, position: broker.on_entry(position, candle_subject(candle.key), data)


def _command(draw: st.DrawFn, clock: _Clock) -> Step:
    kind = draw(st.sampled_from(("place", "place", "modify", "cancel")))
    if kind == "place" or not clock.orders:
        kind = "place"
        clock.orders += 1
    number = clock.orders if kind == "place" else draw(st.integers(1, clock.orders))
    order_id, user_id, key = f"o{number}", USERS[number % 2], KEYS[number % 3]
    price, trigger = (
        str(draw(PRICES)) if draw(st.integers(0, 3)) < share else None for share in (3, 1)
    )
    validity = draw(st.sampled_from((Validity.DAY, Validity.DAY, Validity.IOC)))
    quantity = draw(st.integers(1, 100))
    side = draw(st.sampled_from(Side))
    wanted = terms(side, quantity, price, trigger, validity=validity, key=key)
    arrival_ms = clock.now_ms + draw(st.sampled_from((0, 200)))

    def run(broker: PaperBroker, _: int) -> object:
        if kind == "cancel":
            return broker.cancel(user_id, order_id)
        if kind == "modify":
            return broker.modify(user_id, order_id, wanted, quantity)
        broker.place(user_id, order_id, wanted, Share(), arrival_ms, Decimal(1))
        return None

    return run


@st.composite
def stories(draw: st.DrawFn) -> list[Step]:
    """The clock advances a little, to the last minute of the session, or to the next day."""
    clock = _Clock(MONDAY_10_00)
    live = messages.ClockTick(
        ts=clock.now_ms, feed_ts=clock.now_ms, epoch=1, seq=0, state=FeedState.LIVE
    )
    steps = [_entry(CLOCK, live)]
    makers = (_quote, _quote, _quote, _book, _book, _tick, _candle, _command, _command, _command)
    for _ in range(draw(st.integers(15, 40))):
        jump = draw(st.integers(0, 40))
        clock.now_ms += {0: 329 * MINUTE_MS, 1: DAY_MS}.get(jump, 200)
        if jump == 2:
            clock.epoch, clock.seq = clock.epoch + 1, 0
        steps.append(draw(st.sampled_from(makers))(draw, clock))
    return steps


@given(stories())
def test_a_restore_at_any_step_gives_the_same_results_byte_for_byte(steps: list[Step]) -> None:
    broker = PaperBroker(Calendar())
    answers, states = [], [broker.state()]
    trades: list[PaperFill] = []
    for position, step in enumerate(steps, start=1):
        answer = step(broker, position)
        trades += _trades(answer)
        answers.append(ENCODE(answer))
        states.append(broker.state())
    assert len({trade.trade_id for trade in trades}) == len(trades)
    assert all(trade.quantity > 0 and trade.quote.is_tradable for trade in trades)
    for done, state in enumerate(states):
        restored = PaperBroker(Calendar())
        restored.restore(state)
        assert restored.state() == state
        again = [
            ENCODE(step(restored, position))
            for position, step in enumerate(steps[done:], start=done + 1)
        ]
        assert again == answers[done:]
        assert restored.state() == states[-1]


def _trades(answer: object) -> list[PaperFill]:
    found = answer if isinstance(answer, list) else []
    return [result.result for result in found if isinstance(result.result, PaperFill)]


def test_a_restored_broker_has_the_position_the_prices_and_the_demand() -> None:
    market = PaperMarket()
    market.quote(100.05)
    market.place(price="99")
    restored = PaperBroker(Calendar())
    restored.restore(market.broker.state())
    assert (restored.position, restored.time_ms) == (market.broker.position, MONDAY_10_00)
    assert restored.keys() == {KEY}
    assert (restored.ltp(KEY), restored.is_live) == (Decimal("100.05"), True)
    assert restored.cancel("u1", "o1") == 100


def test_a_trade_across_a_restore_is_counted_against_the_queue() -> None:
    market = PaperMarket()
    market.place(price="100")
    market.market(bids="30@100", asks="10@101")
    state = market.broker.state()
    market.broker = PaperBroker(Calendar())
    market.broker.restore(state)
    assert market.quote(ltq=50, bid="10@100") == ["o1 20@100"]


def test_a_special_session_is_part_of_the_state() -> None:
    market = PaperMarket(start_ms=MONDAY_10_00 + 5 * DAY_MS)
    market.place(price="100")
    assert market.market(bids="30@99", asks="10@100") == [], "no session on a Saturday"
    hours = {day: {"NSE": (555, 930)} for day in [date(2026, 11, 28)]}
    market.broker.use_calendar(BUILT_IN.updated(CalendarData(timings=hours)))
    state = market.broker.state()
    market.broker = PaperBroker(Calendar())
    market.broker.restore(state)
    assert market.broker.state() == state
    assert market.market(bids="30@99", asks="10@100") == ["o1 10@100.0"]


def test_other_data_of_the_calendar_change_nothing_until_the_broker_uses_them() -> None:
    calendar = Calendar()
    broker = PaperBroker(calendar)
    calendar.replace(CalendarData(years=frozenset({2030})))
    assert broker.calendar is BUILT_IN


def test_prices_of_any_instrument_are_known_and_only_resting_orders_are_demanded() -> None:
    market = PaperMarket()
    assert market.broker.ltp(KEY) is None
    market.quote(100.05, bid="10@100")
    assert str(market.broker.ltp(KEY)) == "100.05"
    assert market.broker.keys() == set()
    market.place(price="99")
    assert market.broker.keys() == {KEY}
    assert market.broker.cancel("u1", "o1") == 100
    assert market.broker.keys() == set()


def test_commands_for_an_order_that_does_not_rest_do_nothing() -> None:
    market = PaperMarket()
    assert market.broker.cancel("u1", "o1") == 0
    assert not market.broker.modify("u1", "o1", terms(price="99"), 100)
    market.place(price="99")
    with pytest.raises(ValueError, match="rests already"):
        market.place(price="99")
    with pytest.raises(ValueError, match="nothing would remain"):
        market.broker.modify("u1", "o1", terms(price="99"), 0)
