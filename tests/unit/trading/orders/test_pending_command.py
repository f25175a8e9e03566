"""A report shows a modification by its quantity and prices, once the command was answered."""

from decimal import Decimal

import pytest

from services.trading.orders.broker_report import BrokerReport, BrokerState
from services.trading.orders.pending_command import PendingCommand
from shared.contracts.order_terms import OrderType, Prices, Validity

ASKED = Prices(10, OrderType.LIMIT, Validity.DAY, Decimal(99))


def report(prices: Prices | None) -> BrokerReport:
    return BrokerReport("b1", BrokerState.WORKING, 1_000, prices)


@pytest.mark.parametrize(
    ("command", "is_shown"),
    [
        (PendingCommand("c", ASKED), False),
        (PendingCommand("c", ASKED, is_taken=True), True),
        (PendingCommand("c", ASKED, is_lost=True), True),
        (PendingCommand("c", None, is_lost=True), False),
    ],
)
def test_only_a_modification_that_was_taken_or_lost_is_shown(
    command: PendingCommand, *, is_shown: bool
) -> None:
    assert command.is_shown_by(report(ASKED)) == is_shown
    assert not command.is_shown_by(report(None))
    assert not command.is_shown_by(None)


@pytest.mark.parametrize(
    ("prices", "is_shown"),
    [
        (Prices(10, OrderType.LIMIT, Validity.DAY, Decimal("99.0"), Decimal(0)), True),
        (Prices(11, OrderType.LIMIT, Validity.DAY, Decimal(99)), False),
        (Prices(10, OrderType.LIMIT, Validity.DAY, Decimal(98)), False),
        (Prices(10, OrderType.SL, Validity.DAY, Decimal(99), Decimal(95)), False),
    ],
)
def test_a_report_shows_it_by_quantity_and_prices(prices: Prices, *, is_shown: bool) -> None:
    assert PendingCommand("c", ASKED, is_taken=True).is_shown_by(report(prices)) == is_shown
