"""The limit of a protected order, on a tick."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from services.trading.paper.resting_order import RestingOrder
from shared.contracts.order_terms import (
    Account,
    OrderType,
    Prices,
    Product,
    Side,
    Terms,
    Validity,
)


def order(side: Side) -> RestingOrder:
    prices = Prices(quantity=1, order_type=OrderType.MARKET, validity=Validity.DAY)
    terms = Terms(
        account=Account.PAPER, key="NSE_EQ|X", side=side, product=Product.DELIVERY, prices=prices
    )
    return RestingOrder("o1", terms, 0, Decimal("0.05"), Decimal(1), 1)


@pytest.mark.parametrize(
    ("side", "reference", "limit"),
    [
        (Side.BUY, "100", "101.00"),
        (Side.SELL, "100", "99.00"),
        (Side.BUY, "100.33", "101.30"),  # 101.3333, down to the tick
        (Side.SELL, "100.33", "99.35"),  # 99.3267, up to the tick
    ],
)
def test_a_protected_limit_is_on_a_tick_and_never_beyond_the_protection(
    side: Side, reference: str, limit: str
) -> None:
    assert order(side).protected_limit(Decimal(reference)) == Decimal(limit)


def test_a_price_passes_a_limit_only_beyond_it() -> None:
    buy = order(Side.BUY)
    buy.activate(Decimal(100))
    assert not buy.is_passed_by(Decimal(101))
    assert buy.is_passed_by(Decimal("100.95"))


@pytest.mark.parametrize(
    ("changes", "remaining", "keeps_place"),
    [
        ({"quantity": 5}, 1, True),
        ({"quantity": 5, "disclosed_quantity": 1}, 1, True),
        ({"quantity": 5}, 2, False),
        ({"price": Decimal(99)}, 1, False),
        ({"order_type": OrderType.MARKET}, 1, False),
        ({"validity": Validity.IOC}, 1, False),
    ],
)
def test_a_change_of_more_than_a_smaller_quantity_makes_the_order_meet_the_market_again(
    changes: dict[str, Any], remaining: int, keeps_place: bool
) -> None:
    resting = order(Side.BUY)
    resting.activate(Decimal(100))
    resting.queue = 70
    prices = msgspec.structs.replace(resting.terms.prices, order_type=OrderType.LIMIT)
    prices = msgspec.structs.replace(prices, price=Decimal(100))
    resting.terms = msgspec.structs.replace(resting.terms, prices=prices)
    prices = msgspec.structs.replace(prices, **changes)
    resting.change(msgspec.structs.replace(resting.terms, prices=prices), remaining, 9)
    assert (resting.is_active, resting.queue, resting.arrival_ms) == (
        (True, 70, 0) if keeps_place else (False, None, 9)
    )


def test_a_new_trigger_has_not_been_reached() -> None:
    stop = order(Side.SELL)
    for trigger, is_reached in (("95", True), ("95", True), ("96", False)):
        prices = msgspec.structs.replace(
            stop.terms.prices, order_type=OrderType.SL_M, trigger_price=Decimal(trigger)
        )
        stop.change(msgspec.structs.replace(stop.terms, prices=prices), 1, 0)
        if trigger == "95":
            stop.is_reached = True
        assert (stop.is_reached, stop.is_waiting, stop.needs_quote) == (
            is_reached, True, is_reached,
        )  # fmt: skip
