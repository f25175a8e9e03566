"""Margin that is reserved for an order and released exactly."""

from decimal import Decimal

import pytest

from services.trading.orders import events
from services.trading.orders.broker_report import BrokerState
from shared.contracts.order_terms import OrderType, Prices, Product, Side, Validity
from tests.support.trading_journal import (
    DELIVERY_SHARE,
    OPENING_CASH,
    Journal,
    no_ltp,
)

DELIVERY, INTRADAY, MTF = Product.DELIVERY, Product.INTRADAY, Product.MTF
BUY = Side.BUY


@pytest.mark.parametrize(
    "state", [BrokerState.CANCELLED, BrokerState.EXPIRED, BrokerState.REJECTED]
)
def test_margin_is_reserved_at_acceptance_and_released_when_the_order_ends(
    state: BrokerState,
) -> None:
    journal = Journal()
    order_id = journal.place(DELIVERY_SHARE, BUY, 3, margin=Decimal(100))
    account = journal.account
    assert account.funds(no_ltp).order_margin == account.order_margin(order_id) == 100
    assert account.funds(no_ltp).available == OPENING_CASH - 100
    journal.fill(order_id, 1, 33)
    assert account.funds(no_ltp).order_margin == Decimal("66.67")
    assert account.open_orders() == [account.orders[order_id]]
    journal.finish(order_id, state)
    assert account.funds(no_ltp).order_margin == 0
    assert account.open_orders() == []


def test_the_last_fill_releases_the_whole_margin() -> None:
    journal = Journal()
    order_id = journal.place(DELIVERY_SHARE, BUY, 3, margin=Decimal(100))
    for left in ("66.67", "33.33", "0"):
        journal.fill(order_id, 1, 33)
        assert journal.account.funds(no_ltp).order_margin == Decimal(left)


@pytest.mark.parametrize(("code", "after"), [("", Decimal(400)), ("refused", Decimal(100))])
def test_a_pending_modification_reserves_the_dearer_terms(code: str, after: Decimal) -> None:
    journal = Journal()
    order_id = journal.place(DELIVERY_SHARE, BUY, 1, margin=Decimal(100))
    prices = Prices(4, OrderType.LIMIT, Validity.DAY, Decimal(100))
    sending = events.CommandSending(at_ms=1, command_id="c", prices=prices, margin=Decimal(400))
    journal.event(order_id, sending)
    assert journal.account.funds(no_ltp).order_margin == 400
    journal.event(order_id, events.CommandAnswered(at_ms=2, command_id="c", code=code))
    assert journal.account.funds(no_ltp).order_margin == after


def asked(quantity: int, margin: int | None) -> events.CommandSending:
    prices = Prices(quantity, OrderType.LIMIT, Validity.DAY, Decimal(100))
    return events.CommandSending(
        at_ms=1, command_id="c", prices=prices, margin=None if margin is None else Decimal(margin)
    )


def test_a_modification_without_a_margin_of_its_own_keeps_the_margin_of_each_unit() -> None:
    journal = Journal()
    order_id = journal.place(DELIVERY_SHARE, BUY, 2, margin=100)
    journal.event(order_id, asked(3, None))
    assert journal.account.funds(no_ltp).order_margin == 150


def test_the_margin_of_a_modification_is_that_of_the_whole_quantity() -> None:
    journal = Journal()
    order_id = journal.place(DELIVERY_SHARE, BUY, 10, margin=1_000)
    journal.fill(order_id, 4, 100)
    journal.event(order_id, asked(5, 600))
    assert journal.account.funds(no_ltp).order_margin == 600  # of 6 of 10, not of 1 of 5
    journal.event(order_id, events.CommandAnswered(at_ms=2, command_id="c"))
    assert journal.account.funds(no_ltp).order_margin == 120


@pytest.mark.parametrize(("has_effect", "after"), [(True, 400), (False, 100)])
def test_a_lost_modification_reserves_the_dearer_terms_until_it_is_settled(
    has_effect: bool, after: int
) -> None:
    journal = Journal()
    order_id = journal.place(DELIVERY_SHARE, BUY, 1, margin=100)
    journal.event(order_id, asked(1, 400))
    journal.event(order_id, events.CommandLost(at_ms=2, command_id="c", detail="reset"))
    journal.event(order_id, events.CommandAnswered(at_ms=2, command_id="older"))
    assert journal.account.funds(no_ltp).order_margin == 400
    settled = events.CommandSettled(at_ms=3, command_id="c", has_effect=has_effect)
    journal.event(order_id, settled)
    assert journal.account.funds(no_ltp).order_margin == after


def test_a_cancellation_that_is_refused_keeps_the_margin() -> None:
    journal = Journal()
    order_id = journal.place(DELIVERY_SHARE, BUY, 1, margin=100)
    cancelling = events.CommandSending(at_ms=1, command_id="c", prices=None)
    for event in (cancelling, events.CommandAnswered(at_ms=2, command_id="c", code="final")):
        journal.event(order_id, event)
        assert journal.account.funds(no_ltp).order_margin == 100
