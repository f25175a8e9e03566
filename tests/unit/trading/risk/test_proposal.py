"""The amounts that follow from a proposed order."""

from decimal import Decimal
from typing import Any

import pytest

from services.trading.orders.instrument import OrderInstrument
from shared.contracts.order_terms import OrderType, Product, Side
from tests.support.proposals import CALL, CRUDE, FUTURE, SHARE, at, intraday, proposal

BUY, SELL = Side.BUY, Side.SELL


@pytest.mark.parametrize(
    ("side", "order_type", "price", "trigger", "reference", "reserve"),
    [
        (BUY, OrderType.LIMIT, "99", None, "99", "99"),
        (SELL, OrderType.LIMIT, "99", None, "99", "100"),  # fills at about the LTP
        (SELL, OrderType.LIMIT, "101", None, "101", "101"),
        (BUY, OrderType.SL, "103", "102", "103", "103"),
        (BUY, OrderType.MARKET, None, None, "100", "102"),
        (SELL, OrderType.MARKET, None, None, "100", "102"),
        (BUY, OrderType.SL_M, None, "110", "110", "112.20"),
        (SELL, OrderType.SL_M, None, "90", "90", "91.80"),
    ],
)
def test_margin_is_reserved_at_the_highest_expected_price(
    side: Side,
    order_type: OrderType,
    price: str | None,
    trigger: str | None,
    reference: str,
    reserve: str,
) -> None:
    order = proposal(
        side=side,
        order_type=order_type,
        price=None if price is None else Decimal(price),
        trigger_price=None if trigger is None else Decimal(trigger),
    )
    assert order.reference_price == Decimal(reference)
    assert order.reserve_price == Decimal(reserve)
    assert order.value == Decimal(reference) * 100


def test_a_protection_that_is_set_replaces_the_automatic_one() -> None:
    order = proposal(order_type=OrderType.MARKET, market_protection_percent=Decimal("0.5"))
    assert order.protection_percent == Decimal("0.5")
    assert order.reserve_price == Decimal("100.50")


def test_a_limit_order_has_no_protection() -> None:
    assert proposal().protection_percent is None


@pytest.mark.parametrize(
    "changes",
    [
        {"order_type": OrderType.MARKET, "ltp": None},
        {"order_type": OrderType.MARKET, "market_protection_percent": Decimal("NaN")},
        {"price": None},
        {"price": Decimal("NaN")},
        {"price": Decimal("1E+400")},
    ],
)
def test_without_a_valid_price_no_amount_is_known(changes: dict[str, Any]) -> None:
    order = proposal(**changes)
    assert (order.reserve_price, order.margin, order.charges) == (None, None, None)


@pytest.mark.parametrize(
    ("closable", "opening", "margin"),
    [(0, 100, "10000"), (30, 70, "7000"), (100, 0, "0"), (500, 0, "0"), (-7, 100, "10000")],
)
def test_margin_is_needed_for_the_part_that_opens_a_position(
    closable: int, opening: int, margin: str
) -> None:
    order = proposal(closable=closable)
    assert order.opening_quantity == opening
    assert order.closes_only is (opening == 0)
    assert order.margin == Decimal(margin)


def test_a_modified_order_needs_margin_for_what_is_not_filled() -> None:
    order = proposal(is_modification=True, filled_quantity=40)
    assert order.remaining == 60
    assert order.value == Decimal(6_000)
    assert order.margin == Decimal(6_000)


def test_an_accepted_order_reserves_margin_and_charges() -> None:
    order = proposal(quantity=100)
    assert order.reservation == Decimal("10035.48")
    assert proposal(side=SELL, closable=100).reservation == 0
    assert proposal(price=None).reservation is None


def test_a_modified_order_reserves_for_the_whole_quantity_so_that_the_rest_is_exact() -> None:
    order = proposal(quantity=100, is_modification=True, filled_quantity=70)
    assert order.margin == Decimal(3_000)
    assert order.charges is not None
    assert order.reservation is not None
    rest = order.reservation * order.remaining / 100
    assert rest.quantize(Decimal("0.01")) == order.margin + order.charges.total


def test_the_amounts_of_a_commodity_count_the_units_of_a_lot() -> None:
    order = proposal(CRUDE, quantity=1, price=Decimal(6_040), side=SELL)
    assert order.value == Decimal(604_000)
    assert order.margin == Decimal(90_600)
    assert order.charges is not None
    assert order.charges.total == Decimal("99.27")


@pytest.mark.parametrize(
    ("instrument", "side", "price", "quantity", "total"),
    [
        (FUTURE, BUY, 24_800, 65, "92.55"),
        (FUTURE, SELL, 24_900, 65, "869.46"),
        (CALL, BUY, 100, 65, "26.54"),
        (CALL, SELL, 120, 65, "38.88"),
        (SHARE, BUY, 500, 100, "82.98"),
    ],
)
def test_the_charges_are_those_of_the_whole_order(
    instrument: OrderInstrument, side: Side, price: int, quantity: int, total: str
) -> None:
    order = proposal(instrument, side=side, price=Decimal(price), quantity=quantity)
    assert order.charges is not None
    assert order.charges.total == Decimal(total)


def test_the_first_sale_of_a_share_from_the_demat_account_bears_the_dp_charge() -> None:
    order = proposal(side=SELL, price=Decimal(520), closable=100, is_first_demat_sale=True)
    assert order.charges is not None
    assert order.charges.total == Decimal("99.37")


@pytest.mark.parametrize(
    ("instrument", "side", "product"),
    [
        (SHARE, BUY, Product.DELIVERY),
        (intraday(SHARE), SELL, Product.INTRADAY),
        (FUTURE, SELL, Product.DELIVERY),
    ],
)
def test_only_a_sale_with_delivery_bears_the_dp_charge(
    instrument: OrderInstrument, side: Side, product: Product
) -> None:
    order = proposal(instrument, side=side, product=product, is_first_demat_sale=True)
    assert order.charges is not None
    assert order.charges.dp == 0


def test_the_day_is_that_of_the_exchange() -> None:
    assert proposal(at_ms=at("00:01", "2026-12-01")).day == "2026-12-01"
