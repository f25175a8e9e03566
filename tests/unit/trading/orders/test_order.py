"""The order as the fold of its events: every state, and news in any order."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trading.orders import events
from services.trading.orders.broker_report import UPSTOX_STATES, BrokerReport, BrokerState
from services.trading.orders.order import Order, fold
from services.trading.orders.order_state import OrderState
from shared.contracts.order_terms import (
    Account,
    OrderType,
    Prices,
    Product,
    Side,
    Terms,
    Validity,
)

PRICES = Prices(quantity=100, order_type=OrderType.LIMIT, validity=Validity.DAY, price=Decimal(99))
TERMS = Terms(
    account=Account.UPSTOX,
    key="NSE_EQ|INE002A01018",
    side=Side.BUY,
    product=Product.INTRADAY,
    prices=PRICES,
)
INTENDED = events.Intended(at_ms=0, order_id="o1", user_id="u1", terms=TERMS)
SENDING = events.Sending(at_ms=1)
ACCEPTED = events.Accepted(at_ms=2, broker_order_id="b1")
REFUSED = events.Refused(at_ms=2, code="UDAPI1052", detail="quantity 0")
LOST = events.AnswerLost(at_ms=2, detail="timeout")
EXPIRED = events.Expired(at_ms=30)


def reported(state: BrokerState, at_ms: int = 10, **more: Any) -> events.Reported:
    return events.Reported(at_ms=at_ms, report=BrokerReport("b1", state, at_ms, **more))


def filled(trade_id: str, quantity: int, price: str = "99") -> events.Filled:
    return events.Filled(
        at_ms=20, trade_id=trade_id, quantity=quantity, price=Decimal(price), traded_at_ms=19
    )


@pytest.mark.parametrize(
    ("history", "state"),
    [
        ([], OrderState.INTENT),
        ([SENDING], OrderState.SENDING),
        ([SENDING, ACCEPTED], OrderState.OPEN),
        ([SENDING, REFUSED], OrderState.REJECTED),
        ([SENDING, LOST], OrderState.UNKNOWN),
        ([SENDING, LOST, reported(BrokerState.RECEIVED)], OrderState.OPEN),
        ([SENDING, LOST, reported(BrokerState.REJECTED)], OrderState.REJECTED),
        ([SENDING, LOST, filled("t1", 40)], OrderState.PARTLY_FILLED),
        ([SENDING, ACCEPTED, filled("t1", 40), filled("t2", 60)], OrderState.FILLED),
        ([SENDING, ACCEPTED, filled("t1", 60), filled("t1", 60)], OrderState.PARTLY_FILLED),
        ([SENDING, ACCEPTED, reported(BrokerState.COMPLETE)], OrderState.OPEN),
        ([SENDING, ACCEPTED, reported(BrokerState.CANCELLED)], OrderState.CANCELLED),
        ([SENDING, ACCEPTED, reported(BrokerState.EXPIRED)], OrderState.EXPIRED),
        ([SENDING, LOST, EXPIRED], OrderState.EXPIRED),
        ([SENDING, ACCEPTED, filled("t1", 40), EXPIRED], OrderState.EXPIRED),
        ([SENDING, ACCEPTED, filled("t1", 40), EXPIRED, filled("t2", 60)], OrderState.FILLED),
        (
            [SENDING, ACCEPTED, reported(BrokerState.CANCELLED), filled("t1", 40)],
            OrderState.CANCELLED,
        ),
        (
            [SENDING, ACCEPTED, reported(BrokerState.CANCELLED), filled("t1", 100)],
            OrderState.FILLED,
        ),
        (
            [SENDING, ACCEPTED, reported(BrokerState.CANCELLED), reported(BrokerState.WORKING, 99)],
            OrderState.CANCELLED,
        ),
    ],
)
def test_the_state_follows_from_trades_then_reports_then_answers(
    history: list[events.OrderEvent], state: OrderState
) -> None:
    assert fold([INTENDED, *history]).state is state


def test_a_complete_order_without_its_trades_lacks_them() -> None:
    order = fold([INTENDED, SENDING, ACCEPTED, reported(BrokerState.COMPLETE), filled("t1", 99)])
    assert order.lacks_trades
    assert not order.apply(filled("t2", 1)).lacks_trades


@pytest.mark.parametrize(
    "history",
    [
        [SENDING, REFUSED, reported(BrokerState.WORKING)],
        [SENDING, REFUSED, filled("t1", 1)],
        [SENDING, ACCEPTED, reported(BrokerState.REJECTED), filled("t1", 1)],
        [SENDING, ACCEPTED, filled("t1", 101)],
    ],
)
def test_news_that_exclude_each_other_are_contradictory(history: list[events.OrderEvent]) -> None:
    assert fold([INTENDED, *history]).is_contradictory


def test_the_average_price_is_exact() -> None:
    order = fold([INTENDED, filled("t1", 50, "100.05"), filled("t2", 100, "100.10")])
    average = order.average_price
    assert average is not None
    assert average.quantize(Decimal("0.0001")) == Decimal("100.0833")


CHEAPER = Prices(quantity=50, order_type=OrderType.LIMIT, validity=Validity.DAY, price=Decimal(98))
MODIFYING = events.CommandSending(at_ms=5, command_id="c1", prices=CHEAPER)
CANCELLING = events.CommandSending(at_ms=5, command_id="c2", prices=None)


def test_a_modification_that_was_taken_changes_the_terms() -> None:
    order = fold([INTENDED, SENDING, ACCEPTED, MODIFYING])
    assert order.prices == PRICES
    order = order.apply(events.CommandAnswered(at_ms=6, command_id="c1"))
    assert (order.prices, order.pending) == (CHEAPER, None)


TAKEN = events.CommandAnswered(at_ms=6, command_id="c1")
BEFORE = reported(BrokerState.WORKING, prices=PRICES)
NOT_MODIFIED = reported(BrokerState.WORKING, at_ms=20, is_not_modified=True)


def test_a_modification_that_was_taken_is_pending_until_a_report_shows_it() -> None:
    order = fold([INTENDED, SENDING, ACCEPTED, BEFORE, MODIFYING, TAKEN, BEFORE])
    assert order.prices == PRICES
    assert order.pending is not None
    order = order.apply(reported(BrokerState.WORKING, at_ms=20, prices=CHEAPER))
    assert (order.prices, order.taken_prices, order.pending) == (CHEAPER, CHEAPER, None)


@pytest.mark.parametrize("news", [[TAKEN, NOT_MODIFIED], [NOT_MODIFIED, TAKEN]])
def test_a_modification_that_the_exchange_refuses_has_no_effect(
    news: list[events.OrderEvent],
) -> None:
    order = fold([INTENDED, SENDING, ACCEPTED, BEFORE, MODIFYING, *news])
    assert (order.prices, order.taken_prices, order.pending) == (PRICES, None, None)


def test_an_earlier_refusal_by_the_exchange_says_nothing_of_a_later_modification() -> None:
    again = events.CommandSending(at_ms=21, command_id="c3", prices=CHEAPER)
    taken = events.CommandAnswered(at_ms=22, command_id="c3")
    first: list[events.OrderEvent] = [
        INTENDED, SENDING, ACCEPTED, BEFORE, MODIFYING, TAKEN, NOT_MODIFIED,
    ]  # fmt: skip
    order = fold([*first, again, NOT_MODIFIED, taken, NOT_MODIFIED])
    assert order.pending is not None
    assert order.pending.command_id == "c3"


def test_an_order_is_filled_only_at_the_greatest_quantity_that_may_be_in_force() -> None:
    more = Prices(150, OrderType.LIMIT, Validity.DAY, Decimal(99))
    asked = events.CommandSending(at_ms=5, command_id="c1", prices=more)
    order = fold([INTENDED, SENDING, ACCEPTED, BEFORE, asked, TAKEN, filled("t1", 100)])
    assert (order.state, order.open_quantity) == (OrderState.PARTLY_FILLED, 50)
    complete = reported(BrokerState.COMPLETE, at_ms=20, prices=PRICES)
    assert order.apply(complete).state is OrderState.FILLED
    shown = order.apply(reported(BrokerState.WORKING, at_ms=20, prices=more))
    assert (shown.state, shown.open_quantity) == (OrderState.PARTLY_FILLED, 50)
    assert not shown.apply(filled("t2", 50)).is_contradictory


MORE = Prices(150, OrderType.LIMIT, Validity.DAY, Decimal(99))
ASKED_MORE = events.CommandSending(at_ms=5, command_id="c1", prices=MORE)
MORE_LOST = events.CommandLost(at_ms=6, command_id="c1", detail="timeout")
NOT_CANCELLED = events.CommandAnswered(at_ms=8, command_id="c2", code="UDAPI1", detail="no")


@pytest.mark.parametrize("answer", [TAKEN, MORE_LOST])
@pytest.mark.parametrize("is_late", [False, True])
def test_a_cancellation_does_not_settle_the_modification_before_it(
    answer: events.OrderEvent, *, is_late: bool
) -> None:
    commands: list[events.OrderEvent] = [ASKED_MORE, answer, CANCELLING]
    if is_late:
        commands = [ASKED_MORE, CANCELLING, answer]
    order = fold([INTENDED, SENDING, ACCEPTED, BEFORE, *commands, filled("t1", 100)])
    assert (order.state, order.open_quantity) == (OrderState.PARTLY_FILLED, 50)
    refused = order.apply(NOT_CANCELLED)
    assert refused.pending is not None
    assert refused.pending.prices == MORE
    shown = reported(BrokerState.WORKING, at_ms=20, prices=MORE)
    orders: list[list[events.OrderEvent]] = [[shown, NOT_CANCELLED], [NOT_CANCELLED, shown]]
    for news in orders:
        after = order
        for event in news:
            after = after.apply(event)
        assert (after.prices, after.pending, after.maybe_taken) == (MORE, None, ())


def test_a_cancellation_leaves_no_doubt_about_a_modification_without_effect() -> None:
    first: list[events.OrderEvent] = [
        INTENDED, SENDING, ACCEPTED, BEFORE, ASKED_MORE, TAKEN, CANCELLING,
    ]  # fmt: skip
    order = fold([*first, NOT_MODIFIED, filled("t1", 100)])
    assert order.state is OrderState.FILLED
    order = fold([*first, NOT_CANCELLED])
    settled = events.CommandSettled(at_ms=40, command_id="c1", has_effect=False)
    order = order.apply(settled)
    assert (order.pending, order.largest_quantity) == (None, 100)


def test_a_refused_modification_leaves_the_terms_and_its_reason() -> None:
    refused = events.CommandAnswered(at_ms=6, command_id="c1", code="UDAPI100041", detail="final")
    order = fold([INTENDED, SENDING, ACCEPTED, MODIFYING, refused])
    assert (order.prices, order.pending, order.code) == (PRICES, None, "UDAPI100041")


@pytest.mark.parametrize("has_effect", [True, False])
def test_a_lost_modification_is_pending_until_it_is_settled(has_effect: bool) -> None:
    order = fold(
        [INTENDED, SENDING, ACCEPTED, MODIFYING,
         events.CommandLost(at_ms=6, command_id="c1", detail="reset")]
    )  # fmt: skip
    assert order.pending is not None
    assert order.pending.is_lost
    settled = events.CommandSettled(at_ms=7, command_id="c1", has_effect=has_effect)
    order = order.apply(settled)
    assert order.pending is None
    assert order.prices == (CHEAPER if has_effect else PRICES)


def test_an_order_expires_whatever_is_not_known_of_it() -> None:
    asked = Prices(150, OrderType.LIMIT, Validity.DAY, Decimal(99))
    order = fold(
        [
            INTENDED, SENDING, ACCEPTED,
            events.CommandSending(at_ms=3, command_id="c1", prices=asked),
            events.CommandLost(at_ms=5, command_id="c1", detail="timeout"),
            filled("t1", 100),
        ]
    )  # fmt: skip
    assert order.state is OrderState.PARTLY_FILLED
    order = order.apply(EXPIRED)
    assert order.state is OrderState.EXPIRED
    assert not order.is_contradictory


def test_an_order_whose_trades_are_never_listed_expires() -> None:
    order = fold([INTENDED, SENDING, ACCEPTED, reported(BrokerState.COMPLETE), filled("t1", 40)])
    assert order.lacks_trades
    order = order.apply(EXPIRED)
    assert (order.state, order.lacks_trades) == (OrderState.EXPIRED, False)


def test_a_lost_cancellation_and_then_a_fill_is_a_filled_order() -> None:
    order = fold(
        [INTENDED, SENDING, ACCEPTED, CANCELLING,
         events.CommandLost(at_ms=6, command_id="c2", detail="reset"), filled("t1", 100)]
    )  # fmt: skip
    assert order.state is OrderState.FILLED


def test_the_answer_to_an_older_command_changes_nothing() -> None:
    order = fold([INTENDED, SENDING, ACCEPTED, MODIFYING, CANCELLING])
    late = events.CommandAnswered(at_ms=9, command_id="c1")
    assert order.apply(late).pending == order.pending


def test_every_status_of_upstox_has_a_rank() -> None:
    assert len(UPSTOX_STATES) == 17
    assert set(UPSTOX_STATES.values()) == set(BrokerState) - {BrokerState.EXPIRED}


REPORTS = st.builds(
    reported,
    st.sampled_from(BrokerState),
    st.integers(0, 5),
    prices=st.sampled_from([None, PRICES, CHEAPER]),
    detail=st.sampled_from(["", "margin exceeds"]),
)
FILLS = st.builds(filled, st.sampled_from(["t1", "t2", "t3"]), st.just(30))
NEWS = st.lists(REPORTS | FILLS, max_size=8)


def _seen(order: Order) -> tuple[object, ...]:
    return (
        order.state, order.prices, order.filled_quantity, order.average_price,
        order.lacks_trades, order.is_contradictory,
    )  # fmt: skip


@given(NEWS, st.data())
def test_news_that_arrive_late_twice_and_out_of_order_give_the_same_order(
    news: list[events.OrderEvent], data: st.DataObject
) -> None:
    start: list[events.OrderEvent] = [INTENDED, SENDING, LOST]
    shuffled = data.draw(st.permutations(news + news[: len(news) // 2]))
    assert _seen(fold([*start, *shuffled])) == _seen(fold([*start, *news]))


@given(NEWS)
def test_no_news_take_an_order_back_from_a_final_state_or_unfill_it(
    news: list[events.OrderEvent],
) -> None:
    order = fold([INTENDED, SENDING, ACCEPTED])
    for event in news:
        after = order.apply(event)
        assert after.filled_quantity >= order.filled_quantity
        if order.report is not None:
            assert after.report is not None
            assert after.report.state >= order.report.state
        order = after


@pytest.mark.parametrize("price", [98, 100])
@pytest.mark.parametrize("is_answered_first", [True, False])
def test_terms_that_were_taken_are_in_force_although_the_report_is_of_the_same_second(
    price: int, is_answered_first: bool
) -> None:
    changed = Prices(100, OrderType.LIMIT, Validity.DAY, Decimal(price))
    before = reported(BrokerState.WORKING, prices=PRICES)
    after = reported(BrokerState.WORKING, prices=changed)
    news: list[events.OrderEvent] = [events.CommandAnswered(at_ms=3, command_id="m"), after]
    if not is_answered_first:
        news.reverse()
    sent = events.CommandSending(at_ms=3, command_id="m", prices=changed)
    # The books are read once more, and an old report comes again.
    order = fold([INTENDED, SENDING, ACCEPTED, before, sent, *news, after, before])
    assert order.prices == changed


@pytest.mark.parametrize("price", [98, 100])
@pytest.mark.parametrize("is_lost", [True, False])
def test_a_modification_of_the_same_second_is_seen_although_another_command_followed_it(
    price: int, is_lost: bool
) -> None:
    changed = Prices(100, OrderType.LIMIT, Validity.DAY, Decimal(price))
    before = reported(BrokerState.WORKING, prices=PRICES)
    after = reported(BrokerState.WORKING, prices=changed)
    modifying = events.CommandSending(at_ms=3, command_id="m", prices=changed)
    answer: events.OrderEvent = events.CommandAnswered(at_ms=4, command_id="m")
    if is_lost:
        answer = events.CommandLost(at_ms=4, command_id="m", detail="timeout")
    commands = [modifying, answer, CANCELLING] if is_lost else [modifying, CANCELLING, answer]
    refused = events.CommandAnswered(at_ms=6, command_id="c2", code="UDAPI1", detail="no")
    order = fold([INTENDED, SENDING, ACCEPTED, before, *commands, refused, after, before])
    assert (order.prices, order.pending) == (changed, None)


def test_a_modification_that_was_taken_is_newer_than_one_whose_effect_was_not_known() -> None:
    lost, taken = (Prices(100, OrderType.LIMIT, Validity.DAY, Decimal(n)) for n in (98, 97))
    order = fold(
        [
            INTENDED, SENDING, ACCEPTED, reported(BrokerState.WORKING, prices=PRICES),
            events.CommandSending(at_ms=3, command_id="a", prices=lost),
            events.CommandLost(at_ms=4, command_id="a", detail="timeout"),
            events.CommandSending(at_ms=5, command_id="b", prices=taken),
            reported(BrokerState.WORKING, prices=lost),
            events.CommandAnswered(at_ms=6, command_id="b"),
            reported(BrokerState.WORKING, prices=taken),
            reported(BrokerState.WORKING, prices=lost),
        ]
    )  # fmt: skip
    assert (order.prices, order.maybe_taken) == (taken, ())


def test_an_answer_with_another_id_than_the_reports_does_not_replace_their_id() -> None:
    other = events.Accepted(at_ms=30, broker_order_id="b2")
    order = fold([INTENDED, SENDING, reported(BrokerState.WORKING), filled("t1", 40), other])
    assert (order.broker_order_id, order.state) == ("b1", OrderState.PARTLY_FILLED)
