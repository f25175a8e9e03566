"""A batch is validated as a whole; then each order succeeds or fails on its own."""

import pytest

from services.simulator.errors import ApiError, ErrorCode
from services.simulator.orders.batch import place_batch
from services.simulator.orders.bodies import Body


def body(correlation_id: object, side: str = "BUY") -> Body:
    return {"correlation_id": correlation_id, "transaction_type": side}


def unparsed(order: Body) -> Body:
    return order


def test_buy_orders_are_placed_first_and_slices_share_the_correlation_id() -> None:
    placed: list[str] = []

    def place(order: Body) -> list[str]:
        placed.append(order["correlation_id"])
        return ["1", "2"]

    result = place_batch([body("a", "SELL"), body("b")], unparsed, place)
    assert placed == ["b", "a"]
    assert result.status == "success"
    assert [row["correlation_id"] for row in result.rows] == ["b", "b", "a", "a"]


def test_a_refused_order_does_not_prevent_the_others() -> None:
    def place(order: Body) -> list[str]:
        if order["correlation_id"] == "bad":
            raise ApiError(ErrorCode.ZERO_QUANTITY, "The quantity cannot be zero")
        return ["1"]

    result = place_batch([body("bad"), body("good")], unparsed, place)
    assert result.status == "partial_success"
    assert [error["correlation_id"] for error in result.errors] == ["bad"]
    assert result.payload_errors == 0


def test_an_invalid_body_is_a_payload_error() -> None:
    def parse(order: Body) -> Body:
        if order["correlation_id"] == "bad":
            raise ApiError(ErrorCode.INVALID_INPUT, "The price is invalid")
        return order

    result = place_batch([body("bad"), body("good")], parse, lambda _: ["1"])
    assert (result.payload_errors, len(result.errors), len(result.rows)) == (1, 1, 1)


@pytest.mark.parametrize(
    ("bodies", "code"),
    [
        ([], "UDAPI1114"),
        ([body(str(number)) for number in range(11)], "UDAPI1118"),
        ([body(None)], "UDAPI1115"),
        ([body("x" * 21)], "UDAPI1116"),
        ([body("a"), body("a")], "UDAPI1117"),
    ],
)
def test_an_invalid_batch_places_no_order(bodies: list[Body], code: str) -> None:
    with pytest.raises(ApiError) as error:
        place_batch(bodies, unparsed, lambda _: pytest.fail("placed"))
    assert error.value.code == code
