"""Rules by the shares and the money of the account: kept at the limit, broken just beyond it."""

from decimal import Decimal
from typing import Any

import pytest

from services.trading.risk import money_rules
from shared.contracts.order_terms import OrderType, Product, Side
from tests.support.proposals import FUTURE, SHARE, intraday, proposal

PAISA = Decimal("0.01")


@pytest.mark.parametrize(("quantity", "passed"), [(60, True), (61, False)])
@pytest.mark.parametrize("product", [Product.DELIVERY, Product.MTF])
def test_only_owned_shares_are_sold_with_delivery(
    product: Product, quantity: int, passed: bool
) -> None:
    order = proposal(side=Side.SELL, product=product, quantity=quantity, closable=60)
    result = money_rules.holdings(order)
    assert result.passed is passed
    assert (result.limit, result.value) == ("60", str(quantity))


def test_a_short_position_of_today_leaves_nothing_to_sell_with_delivery() -> None:
    result = money_rules.holdings(proposal(side=Side.SELL, quantity=1, closable=-5))
    assert not result.passed
    assert result.limit == "0"


def test_the_sale_of_a_modified_order_counts_what_is_not_filled() -> None:
    order = proposal(
        side=Side.SELL, quantity=100, closable=40, is_modification=True, filled_quantity=60
    )
    assert money_rules.holdings(order).passed


def test_other_orders_need_no_holdings() -> None:
    assert money_rules.holdings(proposal()).passed
    assert money_rules.holdings(proposal(FUTURE, side=Side.SELL)).passed
    short = proposal(intraday(SHARE), side=Side.SELL, product=Product.INTRADAY)
    assert money_rules.holdings(short).passed


@pytest.mark.parametrize("spare", [Decimal(0), -PAISA])
@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"instrument": intraday(SHARE), "side": Side.SELL, "product": Product.INTRADAY},
        {"order_type": OrderType.MARKET},
        {"instrument": FUTURE, "price": Decimal(100)},
    ],
)
def test_margin_and_charges_are_available_to_the_paisa(
    spare: Decimal, terms: dict[str, Any]
) -> None:
    order = proposal(**terms)
    assert order.margin is not None
    assert order.charges is not None
    needed = order.margin + order.charges.total
    result = money_rules.margin(proposal(available=needed + spare, **terms))
    assert result.passed is (spare == 0)


def test_the_refusal_names_margin_charges_and_what_is_available() -> None:
    result = money_rules.margin(proposal(available=Decimal("5000.00")))
    assert result.detail == (
        "the order needs 10000.00 of margin and 35.48 of charges, and 5000.00 is available"
    )
    assert (result.limit, result.value) == ("5000.00", "10035.48")


def test_closing_a_position_needs_no_money() -> None:
    order = proposal(
        FUTURE, side=Side.SELL, closable=65, order_type=OrderType.MARKET, available=Decimal(-500)
    )
    assert money_rules.margin(order).passed
    too_large = proposal(FUTURE, side=Side.SELL, closable=64, available=Decimal(-500))
    assert not money_rules.margin(too_large).passed


def test_without_a_price_the_margin_is_not_known_and_the_order_refused() -> None:
    result = money_rules.margin(proposal(order_type=OrderType.MARKET, ltp=None))
    assert result.detail == "the margin cannot be estimated without a valid price"
