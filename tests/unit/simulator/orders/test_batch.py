"""A batch is checked as a whole; then each order stands for itself."""

import pytest

from services.simulator.orders.batch import place_all
from services.simulator.orders.bodies import Body
from services.simulator.orders.refused import OrderRefused


def body(correlation_id: object, side: str = "BUY") -> Body:
    return {"correlation_id": correlation_id, "transaction_type": side}


def as_it_is(order: Body) -> Body:
    return order


def test_buys_go_first_and_slices_share_their_correlation_id() -> None:
    placed: list[str] = []

    def place(order: Body) -> list[str]:
        placed.append(order["correlation_id"])
        return ["1", "2"]

    outcome = place_all([body("a", "SELL"), body("b")], as_it_is, place)
    assert placed == ["b", "a"]
    assert outcome.status == "success"
    assert [row["correlation_id"] for row in outcome.done] == ["b", "b", "a", "a"]


def test_refused_order_does_not_hold_up_the_others() -> None:
    def place(order: Body) -> list[str]:
        if order["correlation_id"] == "bad":
            raise OrderRefused("UDAPI1052", "The quantity cannot be zero")
        return ["1"]

    outcome = place_all([body("bad"), body("good")], as_it_is, place)
    assert outcome.status == "partial_success"
    assert [error["correlation_id"] for error in outcome.errors] == ["bad"]
    assert outcome.payload_errors == 0


def test_body_that_cannot_be_read_is_a_payload_error() -> None:
    def read(order: Body) -> Body:
        if order["correlation_id"] == "bad":
            raise OrderRefused("UDAPI100036", "The price is invalid")
        return order

    outcome = place_all([body("bad"), body("good")], read, lambda _: ["1"])
    assert (outcome.payload_errors, len(outcome.errors), len(outcome.done)) == (1, 1, 1)


@pytest.mark.parametrize(
    ("bodies", "code"),
    [
        ([], "UDAPI1118"),
        ([body(str(number)) for number in range(11)], "UDAPI1114"),
        ([body(None)], "UDAPI1115"),
        ([body("x" * 21)], "UDAPI1116"),
        ([body("a"), body("a")], "UDAPI1117"),
    ],
)
def test_batch_of_the_wrong_form_places_nothing(bodies: list[Body], code: str) -> None:
    with pytest.raises(OrderRefused) as refused:
        place_all(bodies, as_it_is, lambda _: pytest.fail("placed"))
    assert refused.value.code == code
