"""Rules by the terms of the order: kept at the limit, broken just beyond it."""

from decimal import Decimal
from typing import Any

import pytest

from services.trading.orders.instrument import OrderInstrument
from services.trading.risk import terms_rules
from shared.contracts.order_terms import OrderType, Side, Validity
from tests.support.proposals import CRUDE, FUTURE, SHARE, at, proposal

BUY, SELL = Side.BUY, Side.SELL
LIMIT, MARKET, SL, SL_M = OrderType.LIMIT, OrderType.MARKET, OrderType.SL, OrderType.SL_M


@pytest.mark.parametrize(
    ("quantity", "detail"),
    [
        (0, "the quantity 0 is not above 0"),
        (65, ""),
        (66, "the quantity 66 is not a multiple of the lot size 65"),
        (1_755, ""),
        (1_820, "the quantity 1820 is above the freeze quantity 1755"),
    ],
)
def test_the_quantity_is_whole_lots_up_to_the_freeze_quantity(quantity: int, detail: str) -> None:
    result = terms_rules.quantity(proposal(FUTURE, quantity=quantity))
    assert result.passed is (detail == "")
    assert result.detail == detail


@pytest.mark.parametrize(("quantity", "passed"), [(60, False), (61, True)])
def test_a_modified_quantity_is_above_what_is_filled(quantity: int, passed: bool) -> None:
    order = proposal(quantity=quantity, is_modification=True, filled_quantity=60)
    result = terms_rules.quantity(order)
    assert result.passed is passed
    if not passed:
        assert result.detail == "the quantity 60 is not above 60, which is filled"


@pytest.mark.parametrize(
    ("order_type", "price", "detail"),
    [
        (LIMIT, "100.05", ""),
        (LIMIT, "100.0500", ""),
        (LIMIT, "100.06", "the price 100.06 is not a multiple of the tick size 0.05"),
        (LIMIT, None, "LIMIT needs a price"),
        (LIMIT, "0", "the price 0 is not above 0 and at most 100000000"),
        (LIMIT, "-5", "the price -5 is not above 0 and at most 100000000"),
        (LIMIT, "NaN", "the price NaN is not above 0 and at most 100000000"),
        (LIMIT, "Infinity", "the price Infinity is not above 0 and at most 100000000"),
        (LIMIT, "1E+8", ""),
        (LIMIT, "100000000.05", "the price 100000000.05 is not above 0 and at most 100000000"),
        (SL, None, "SL needs a price"),
        (MARKET, None, ""),
        (MARKET, "100", "MARKET takes no price"),
        (SL_M, None, ""),
        (SL_M, "100", "SL-M takes no price"),
    ],
)
def test_a_price_is_on_a_tick_where_the_order_type_has_one(
    order_type: OrderType, price: str | None, detail: str
) -> None:
    order = proposal(order_type=order_type, price=None if price is None else Decimal(price))
    assert terms_rules.price(order).detail == detail
    assert terms_rules.price(order).passed is (detail == "")


@pytest.mark.parametrize(
    ("side", "order_type", "trigger", "price", "detail"),
    [
        (BUY, LIMIT, None, "100", ""),
        (BUY, LIMIT, "101", "100", "LIMIT takes no trigger price"),
        (BUY, SL_M, None, None, "SL-M needs a trigger price"),
        (
            BUY, SL_M, "101.01", None,
            "the trigger price 101.01 is not a multiple of the tick size 0.05",
        ),
        (BUY, SL_M, "100.05", None, ""),
        (
            BUY, SL_M, "100", None,
            "the trigger price 100 of a stop order to buy must be above the LTP 100",
        ),
        (SELL, SL_M, "99.95", None, ""),
        (
            SELL, SL_M, "100", None,
            "the trigger price 100 of a stop order to sell must be below the LTP 100",
        ),
        (BUY, SL, "101", "101", ""),
        (
            BUY, SL, "101", "100.95",
            "the price 100.95 of a stop order to buy must not be below its trigger price 101",
        ),
        (SELL, SL, "99", "99", ""),
        (
            SELL, SL, "99", "99.05",
            "the price 99.05 of a stop order to sell must not be above its trigger price 99",
        ),
    ],
)  # fmt: skip
def test_a_trigger_lies_between_the_ltp_and_the_limit(
    side: Side, order_type: OrderType, trigger: str | None, price: str | None, detail: str
) -> None:
    order = proposal(
        side=side,
        order_type=order_type,
        trigger_price=None if trigger is None else Decimal(trigger),
        price=None if price is None else Decimal(price),
    )
    assert terms_rules.trigger(order).detail == detail
    assert terms_rules.trigger(order).passed is (detail == "")


def test_a_trigger_is_not_compared_with_the_ltp_once_it_was_reached() -> None:
    terms: dict[str, Any] = {"order_type": SL, "trigger_price": Decimal(90), "price": Decimal(95)}
    assert not terms_rules.trigger(proposal(**terms)).passed
    order = proposal(is_modification=True, is_triggered=True, **terms)
    assert terms_rules.trigger(order).passed


def test_a_stop_order_needs_an_ltp() -> None:
    order = proposal(order_type=SL_M, trigger_price=Decimal(101), ltp=None)
    assert terms_rules.trigger(order).detail == (
        "no LTP is known to compare the trigger price with"
    )


@pytest.mark.parametrize(
    ("instrument", "quantity", "disclosed", "detail"),
    [
        (SHARE, 1_000, 0, ""),
        (SHARE, 1_000, 100, ""),
        (SHARE, 1_000, 99, "the disclosed quantity 99 is below 10 % of the quantity 1000"),
        (SHARE, 1_000, 1_000, ""),
        (SHARE, 1_000, 1_001, "the disclosed quantity 1001 is above the quantity 1000"),
        (CRUDE, 100, 25, ""),
        (CRUDE, 100, 24, "the disclosed quantity 24 is below 25 % of the quantity 100"),
        (FUTURE, 650, 65, "NSE_FO takes no disclosed quantity"),
    ],
)
def test_a_disclosed_quantity_is_a_part_of_the_quantity(
    instrument: OrderInstrument, quantity: int, disclosed: int, detail: str
) -> None:
    order = proposal(instrument, quantity=quantity, disclosed_quantity=disclosed)
    assert terms_rules.disclosed(order).detail == detail
    assert terms_rules.disclosed(order).passed is (detail == "")


def test_an_auction_takes_no_disclosed_quantity() -> None:
    order = proposal(at_ms=at("09:04"), disclosed_quantity=50)
    assert not terms_rules.disclosed(order).passed


def test_an_ioc_order_discloses_nothing() -> None:
    assert terms_rules.validity(proposal(validity=Validity.IOC)).passed
    assert terms_rules.validity(proposal(disclosed_quantity=50)).passed
    assert not terms_rules.validity(proposal(validity=Validity.IOC, disclosed_quantity=50)).passed


@pytest.mark.parametrize(
    ("percent", "passed"),
    [(None, True), ("0", False), ("0.01", True), ("10", True), ("10.01", False), ("NaN", False)],
)
@pytest.mark.parametrize("order_type", [MARKET, SL_M])
def test_the_market_protection_is_above_zero_and_at_most_ten_percent(
    order_type: OrderType, percent: str | None, passed: bool
) -> None:
    order = proposal(
        order_type=order_type,
        market_protection_percent=None if percent is None else Decimal(percent),
    )
    assert terms_rules.market_protection(order).passed is passed


@pytest.mark.parametrize("order_type", [LIMIT, SL])
def test_an_order_with_a_limit_takes_no_market_protection(order_type: OrderType) -> None:
    order = proposal(order_type=order_type, market_protection_percent=Decimal(1))
    assert not terms_rules.market_protection(order).passed


def test_a_modified_order_keeps_its_protection_when_it_gets_a_limit() -> None:
    order = proposal(market_protection_percent=Decimal(1), is_modification=True)
    assert terms_rules.market_protection(order).passed
