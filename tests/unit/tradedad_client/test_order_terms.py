"""Amounts of an order are exact, or the order cannot be made."""

from decimal import Decimal
from typing import Any

import pytest

from shared.contracts import order_terms as contract
from tests.support.builders import KEY
from tradedad_client import order_terms
from tradedad_client.order_terms import (
    Account,
    NewOrder,
    OrderChanges,
    OrderType,
    Product,
    Side,
    terms_in_json,
)

TERMS: dict[str, Any] = {
    "account": Account.PAPER, "key": KEY, "side": Side.BUY, "product": Product.INTRADAY,
    "quantity": 10, "order_type": OrderType.LIMIT,
}  # fmt: skip


@pytest.mark.parametrize("name", ["Account", "Side", "OrderType", "Validity", "Product"])
def test_the_terms_have_the_values_of_the_trading_service(name: str) -> None:
    values = {one.value for one in getattr(order_terms, name)}
    assert values == {one.value for one in getattr(contract, name)}


@pytest.mark.parametrize("amount", [1400.05, 1400, "1400.05"])
@pytest.mark.parametrize("field", ["price", "trigger_price", "market_protection_percent"])
def test_an_amount_that_is_no_decimal_is_refused(field: str, amount: Any) -> None:
    with pytest.raises(TypeError, match=f"{field} must be a Decimal, not {type(amount).__name__}"):
        NewOrder(**TERMS, **{field: amount})


@pytest.mark.parametrize("amount", ["NaN", "Infinity"])
def test_an_amount_that_is_not_finite_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="price must be a finite number"):
        OrderChanges(price=Decimal(amount))


def test_the_account_has_no_default() -> None:
    terms = {name: value for name, value in TERMS.items() if name != "account"}
    with pytest.raises(TypeError, match="account"):
        NewOrder(**terms)


@pytest.mark.parametrize(
    ("amount", "text"), [("1400.05", "1400.05"), ("1400.10", "1400.10"), ("1E+3", "1000")]
)
def test_amounts_are_sent_digit_by_digit(amount: str, text: str) -> None:
    terms = terms_in_json(NewOrder(**TERMS, price=Decimal(amount)))
    assert terms["price"] == text
    assert "trigger_price" not in terms


def test_a_change_to_zero_is_sent_and_an_absent_one_is_not() -> None:
    assert terms_in_json(OrderChanges(disclosed_quantity=0)) == {"disclosed_quantity": 0}
