"""Which prices an order type has."""

import pytest

from shared.contracts.order_terms import OrderType


@pytest.mark.parametrize(
    ("kind", "has_limit", "has_trigger"),
    [
        (OrderType.MARKET, False, False),
        (OrderType.LIMIT, True, False),
        (OrderType.SL, True, True),
        (OrderType.SL_M, False, True),
    ],
)
def test_a_type_tells_which_prices_an_order_has(
    kind: OrderType, has_limit: bool, has_trigger: bool
) -> None:
    assert (kind.has_limit, kind.has_trigger) == (has_limit, has_trigger)
