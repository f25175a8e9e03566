"""Bodies are parsed field by field, and the error names an invalid field."""

import pytest

from services.simulator.errors import ApiError
from services.simulator.orders.bodies import is_sliced, modification, place_request, slices
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
        ("quantity", "five"),
        ("quantity", "1.5"),
        ("quantity", "1e3"),
        ("quantity", ""),
        ("quantity", "٥"),
        ("quantity", 1.5),
        ("quantity", True),
        ("quantity", 1 << 31),
        ("price", None),
        ("price", "0.001"),
        ("price", "-1"),
        ("price", "nan"),
        ("price", [1]),
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


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("instrument_token", None, "UDAPI1026"),
        ("order_type", None, "UDAPI1004"),
        ("order_type", "BEST", "UDAPI1056"),
        ("validity", None, "UDAPI1007"),
        ("validity", "GTC", "UDAPI1055"),
        ("product", "X", "UDAPI1054"),
        ("transaction_type", "HOLD", "UDAPI1057"),
        ("price", "", "UDAPI1008"),
        ("trigger_price", None, "UDAPI1036"),
        ("quantity", "five", "UDAPI100036"),
    ],
)
def test_a_field_has_the_documented_code_of_its_error(field: str, value: object, code: str) -> None:
    with pytest.raises(ApiError) as error:
        place_request(BODY | {field: value})
    assert (error.value.code, error.value.path) == (code, field)


def test_numbers_and_booleans_may_be_strings() -> None:
    body = BODY | {
        "quantity": "5",
        "price": "1420.35",
        "disclosed_quantity": "0",
        "trigger_price": "0.0",
        "is_amo": "false",
        "market_protection": "-1",
    }
    assert place_request(body) == place_request(BODY)
    changed = {"order_id": "1", "order_type": "LIMIT", "validity": "DAY", "trigger_price": "0"}
    _, modify = modification(changed | {"price": "1300.05", "quantity": "7"})
    modified = modify(place_request(BODY))
    assert (modified.price_paise, modified.quantity) == (130_005, 7)
    assert is_sliced({"slice": "true"})
    assert not is_sliced({"slice": "false"})
    assert not is_sliced({"slice": None})
    with pytest.raises(ApiError):
        is_sliced({"slice": "maybe"})


@pytest.mark.parametrize(
    ("price", "paise"),
    [(1_310.3000000000002, 131_030), (0.1 + 0.2, 30), ("0.05", 5), (1e-9, 0), (7, 700)],
)
def test_a_price_with_a_rounding_error_is_the_nearest_paisa(price: object, paise: int) -> None:
    assert place_request(BODY | {"price": price}).price_paise == paise


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
