"""Bodies have every field, and every digit of every price."""

import json
from decimal import Decimal
from typing import Any

import pytest
import upstox_client
from hypothesis import given
from hypothesis import strategies as st

from services.trading.upstox.request_bodies import NotSendable, modify_body, place_body
from shared.contracts.order_terms import Account, OrderType, Prices, Product, Side, Terms, Validity

TAG = "0" * 40


def terms(
    order_type: OrderType = OrderType.LIMIT,
    *,
    quantity: int = 10,
    price: Decimal | None = None,
    trigger: Decimal | None = None,
    disclosed: int = 0,
    protection: Decimal | None = None,
    key: str = "NSE_EQ|INE002A01018",
) -> Terms:
    prices = Prices(quantity, order_type, Validity.DAY, price, trigger, disclosed)
    return Terms(Account.UPSTOX, key, Side.SELL, Product.DELIVERY, prices, protection)


def test_a_place_body_has_all_fields_and_is_never_sliced() -> None:
    body = place_body(terms(price=Decimal("1400.05"), disclosed=2), TAG)
    assert body == {
        "quantity": 10, "product": "D", "validity": "DAY", "price": 1400.05, "tag": TAG,
        "slice": False, "instrument_token": "NSE_EQ|INE002A01018", "order_type": "LIMIT",
        "transaction_type": "SELL", "disclosed_quantity": 2, "trigger_price": 0.0,
        "is_amo": False, "market_protection": -1.0,
    }  # fmt: skip


def test_a_modify_body_has_all_terms() -> None:
    body = modify_body("b-1", terms(OrderType.SL, price=Decimal("9.9"), trigger=Decimal(10)))
    assert body == {
        "quantity": 10, "validity": "DAY", "price": 9.9, "order_id": "b-1", "order_type": "SL",
        "disclosed_quantity": 0, "trigger_price": 10.0, "market_protection": -1.0,
    }  # fmt: skip


def test_the_models_of_the_sdk_have_all_fields() -> None:
    market = terms(OrderType.MARKET)
    models = [
        (upstox_client.PlaceOrderV3Request, place_body(market, TAG)),
        (upstox_client.ModifyOrderRequest, modify_body("b-1", market)),
    ]
    for model, body in models:
        assert set(body) == set(model.swagger_types)
        assert model(**body).to_dict() == body


@pytest.mark.parametrize(
    ("order_type", "percent", "sent"),
    [
        (OrderType.MARKET, None, -1),
        (OrderType.MARKET, Decimal("2.5"), 2.5),
        (OrderType.SL_M, None, -1),
        (OrderType.SL_M, Decimal(1), 1),
        (OrderType.LIMIT, None, -1),
        (OrderType.SL, None, -1),
    ],
)
def test_market_protection_is_always_sent(
    order_type: OrderType, percent: Decimal | None, sent: float
) -> None:
    some = terms(order_type, price=Decimal(5), trigger=Decimal(5), protection=percent)
    assert place_body(some, TAG)["market_protection"] == sent
    assert modify_body("b-1", some)["market_protection"] == sent


def test_prices_that_the_order_type_does_not_have_are_zero() -> None:
    body = place_body(terms(OrderType.MARKET, price=Decimal(5), trigger=Decimal(5)), TAG)
    assert (body["price"], body["trigger_price"]) == (0, 0)


def test_a_quantity_of_mcx_is_sent_as_it_is_in_lots() -> None:
    assert place_body(terms(quantity=2, price=Decimal(1), key="MCX_FO|1"), TAG)["quantity"] == 2


@given(st.decimals(min_value="0.0001", max_value=10**10, places=4))
def test_a_price_arrives_with_every_digit(price: Decimal) -> None:
    sent = json.dumps(place_body(terms(price=price), TAG))
    assert json.loads(sent, parse_float=Decimal)["price"] == price


@pytest.mark.parametrize(
    "price", [None, Decimal(0), Decimal(-1), Decimal("1.00001"), Decimal("NaN"), Decimal("1e15"),
              Decimal("123456789012.1234")],
)  # fmt: skip
def test_a_price_that_would_change_is_not_sendable(price: Any) -> None:
    with pytest.raises(NotSendable, match="price"):
        place_body(terms(price=price), TAG)


@pytest.mark.parametrize("percent", [Decimal(0), Decimal(-1), Decimal("0.00001")])
def test_a_market_order_without_protection_is_not_sendable(percent: Decimal) -> None:
    with pytest.raises(NotSendable, match="market_protection"):
        place_body(terms(OrderType.MARKET, protection=percent), TAG)


@pytest.mark.parametrize("tag", ["", "0" * 41])
def test_an_order_without_a_valid_tag_is_not_sendable(tag: str) -> None:
    with pytest.raises(NotSendable, match="tag"):
        place_body(terms(price=Decimal(1)), tag)
