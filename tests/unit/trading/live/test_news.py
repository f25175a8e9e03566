"""News of an order at Upstox gives events only if it tells something new."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trading.live.news import (
    events_of_row,
    events_of_trades,
    is_unsettled,
)
from services.trading.orders import events
from services.trading.orders.broker_report import BrokerState
from services.trading.orders.order import Order, fold
from services.trading.orders.order_state import OrderState
from shared.contracts.order_terms import Account, Product, Side, Terms
from tests.support.builders import KEY
from tests.support.upstox_book_rows import LIMIT_99, order_row, trade_row

TERMS = Terms(Account.UPSTOX, KEY, Side.BUY, Product.INTRADAY, LIMIT_99)
AT_100 = msgspec.structs.replace(LIMIT_99, price=Decimal(100))


def sent(*more: events.OrderEvent) -> Order:
    return fold(
        [
            events.Intended(at_ms=0, order_id="o1", user_id="u1", terms=TERMS),
            events.Sending(at_ms=1),
            *more,
        ]
    )


LOST = events.AnswerLost(at_ms=2, detail="timeout")
ACCEPTED = events.Accepted(at_ms=2, broker_order_id="b1")


def applied(order: Order, made: Sequence[events.OrderEvent]) -> Order:
    for event in made:
        order = order.apply(event)
    return order


def test_a_row_of_an_unknown_order_makes_it_known_and_gives_its_id() -> None:
    order = sent(LOST)
    assert is_unsettled(order)
    row = order_row(BrokerState.WORKING, tag="o1")
    order = applied(order, events_of_row(order, row, 3, settles_commands=False))
    assert (order.state, order.broker_order_id) == (OrderState.OPEN, "b1")
    assert not is_unsettled(order)


def test_the_same_row_again_gives_no_event() -> None:
    order, row = sent(ACCEPTED), order_row(BrokerState.WORKING)
    order = applied(order, events_of_row(order, row, 3, settles_commands=False))
    assert events_of_row(order, row, 4, settles_commands=False) == []


def test_a_late_row_does_not_take_the_order_backwards() -> None:
    order = sent(ACCEPTED)
    final = order_row(BrokerState.CANCELLED, at_ms=9_000)
    order = applied(order, events_of_row(order, final, 3, settles_commands=False))
    late = order_row(BrokerState.WORKING, at_ms=8_000, prices=None)
    assert events_of_row(order, late, 4, settles_commands=False) == []


def test_a_complete_order_without_a_number_of_the_exchange_is_not_believed() -> None:
    order = sent(ACCEPTED)
    row = order_row(BrokerState.COMPLETE, filled=10, is_at_exchange=False)
    order = applied(order, events_of_row(order, row, 3, settles_commands=False))
    assert order.state is OrderState.OPEN
    assert not order.lacks_trades


def test_a_complete_order_is_filled_by_its_trades_only() -> None:
    order = sent(ACCEPTED)
    row = order_row(BrokerState.COMPLETE, filled=10)
    order = applied(order, events_of_row(order, row, 3, settles_commands=False))
    assert (order.state, order.filled_quantity) == (OrderState.OPEN, 0)
    assert is_unsettled(order)
    trades = [trade_row("t1", 6), trade_row("t2", 4), trade_row("t1", 6)]
    order = applied(order, events_of_trades(order, trades, 4))
    assert (order.state, order.filled_quantity) == (OrderState.FILLED, 10)
    assert events_of_trades(order, trades, 5) == []


def lost_command(prices: object = None) -> Order:
    return sent(
        ACCEPTED,
        events.CommandSending(at_ms=3, command_id="c1", prices=prices),  # type: ignore[arg-type]
        events.CommandLost(at_ms=4, command_id="c1", detail="timeout"),
    )


def test_a_lost_cancellation_is_settled_by_a_cancelled_order() -> None:
    order = lost_command()
    made = events_of_row(order, order_row(BrokerState.CANCELLED), 5, settles_commands=False)
    assert made[-1] == events.CommandSettled(at_ms=5, command_id="c1", has_effect=True)


def test_a_lost_cancellation_that_came_too_late_is_settled_by_the_fills() -> None:
    order = lost_command()
    order = applied(order, events_of_trades(order, [trade_row("t1", 10)], 5))
    made = events_of_row(order, order_row(BrokerState.COMPLETE), 6, settles_commands=False)
    assert made[-1] == events.CommandSettled(at_ms=6, command_id="c1", has_effect=False)


@pytest.mark.parametrize("settles", [False, True])
def test_an_open_order_settles_a_lost_cancellation_after_a_time_only(settles: bool) -> None:
    order = lost_command()
    order = applied(
        order, events_of_row(order, order_row(BrokerState.WORKING), 5, settles_commands=settles)
    )
    assert (order.pending is None) == settles
    assert order.state is OrderState.OPEN


def test_a_lost_modification_is_settled_by_its_terms() -> None:
    order = lost_command(AT_100)
    row = order_row(BrokerState.WORKING, prices=AT_100)
    order = applied(order, events_of_row(order, row, 5, settles_commands=False))
    assert order.pending is None
    assert order.prices == AT_100


def test_an_order_that_is_listed_again_is_open_again() -> None:
    row = order_row(BrokerState.WORKING)
    order = sent(ACCEPTED)
    order = applied(order, events_of_row(order, row, 3, settles_commands=False))
    order = order.apply(events.Expired(at_ms=4))
    assert order.state is OrderState.EXPIRED
    assert not is_unsettled(order)
    order = applied(order, events_of_row(order, row, 5, settles_commands=False))
    assert order.state is OrderState.OPEN


STATES = st.sampled_from(list(BrokerState))
ROWS = st.builds(
    order_row,
    STATES,
    at_ms=st.integers(0, 5),
    filled=st.integers(0, 10),
    is_at_exchange=st.booleans(),
    prices=st.sampled_from([None, LIMIT_99, AT_100]),
)


@given(st.lists(ROWS, max_size=6), st.randoms())
def test_the_order_of_arrival_of_rows_does_not_matter(rows: list[object], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    views = []
    for arrival in (rows, [*shuffled, *rows]):
        order = sent(ACCEPTED)
        for row in arrival:
            made = events_of_row(order, row, 3, settles_commands=False)  # type: ignore[arg-type]
            order = applied(order, made)
        views.append((order.state, order.prices, order.report))
    assert views[0] == views[1]


def test_an_old_row_with_the_terms_of_a_later_modification_does_not_settle_it() -> None:
    first, second = order_row(BrokerState.WORKING, at_ms=1_000), AT_100
    order = sent(ACCEPTED)
    order = applied(order, events_of_row(order, first, 3, settles_commands=False))
    changed = order_row(BrokerState.WORKING, at_ms=2_000, prices=second)
    order = applied(order, events_of_row(order, changed, 3, settles_commands=False))
    back = events.CommandSending(at_ms=4, command_id="back", prices=LIMIT_99)
    for answer in (
        events.CommandAnswered(at_ms=5, command_id="back"),
        events.CommandLost(at_ms=5, command_id="back", detail="timeout"),
    ):
        asked = order.apply(back).apply(answer)
        assert events_of_row(asked, first, 6, settles_commands=False) == []
        newer = order_row(BrokerState.WORKING, at_ms=3_000)
        after = applied(asked, events_of_row(asked, newer, 6, settles_commands=False))
        assert (after.prices, after.pending) == (LIMIT_99, None)
