"""Bodies are parsed field by field, and the error names an invalid field."""

import pytest

from services.simulator.errors import ApiError
from services.simulator.orders.bodies import modification, place_request, slices
from services.simulator.orders.order import OrderRequest, OrderType, Product, Side, Validity

BODY = {
    "quantity": 5,
    "product": "D",
    "validity": "DAY",
    "price": 1_420.35,
    "instrument_token": "NSE_EQ|INE002A01018",
    "order_type": "LIMIT",
    "transaction_type": "SELL",
    "disclosed_quantity": 0,
    "trigger_price": 0,
    "is_amo": False,
    "tag": "mine",
    "market_protection": -1,
}


def test_prices_are_converted_to_paise() -> None:
    assert place_request(BODY) == OrderRequest(
        "NSE_EQ|INE002A01018",
        Side.SELL,
        5,
        Product.D,
        OrderType.LIMIT,
        Validity.DAY,
        price_paise=142_035,
        tag="mine",
        protection_percent=-1.0,
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity", "5"),
        ("quantity", 1.5),
        ("quantity", True),
        ("quantity", 1 << 31),
        ("price", None),
        ("price", -1),
        ("price", 0.001),
        ("price", float("inf")),
        ("price", float("nan")),
        ("order_type", "BEST"),
        ("instrument_token", ""),
        ("tag", 5),
        ("market_protection", "much"),
        ("market_protection", float("nan")),
    ],
)
def test_the_error_names_the_invalid_field(field: str, value: object) -> None:
    with pytest.raises(ApiError) as error:
        place_request(BODY | {field: value})
    assert error.value.path == field


def test_a_modification_keeps_the_fields_it_does_not_contain() -> None:
    body = {
        "order_id": "1",
        "order_type": "MARKET",
        "validity": "IOC",
        "price": 0,
        "trigger_price": 0,
    }
    order_id, modify = modification(body)
    modified = modify(place_request(BODY))
    assert order_id == "1"
    assert (modified.order_type, modified.validity) == (OrderType.MARKET, Validity.IOC)
    assert (modified.quantity, modified.tag, modified.side) == (5, "mine", Side.SELL)
    assert modified.protection_percent == -1.0


def test_slices_are_multiples_of_the_lot_size_up_to_the_freeze_quantity() -> None:
    requests = slices(place_request(BODY | {"quantity": 4_050}), 1_800, 75)
    assert [request.quantity for request in requests] == [1_800, 1_800, 450]
    requests = slices(place_request(BODY | {"quantity": 1_800}), 1_000, 75)
    assert [request.quantity for request in requests] == [975, 825]


def test_more_than_25_slices_are_refused() -> None:
    assert len(slices(place_request(BODY | {"quantity": 25_000}), 1_000, 1)) == 25
    with pytest.raises(ApiError):
        slices(place_request(BODY | {"quantity": 25_001}), 1_000, 1)
