"""An order is due after Upstox has not listed it for five minutes; a listing restarts them."""

from services.trading.live.unlisted_orders import WAIT_SECS, UnlistedOrders


def test_an_order_is_due_once_it_was_not_listed_for_the_time() -> None:
    unlisted = UnlistedOrders()
    assert unlisted.due(["o1"], 10.0) == []
    assert unlisted.due(["o1"], 9.9 + WAIT_SECS) == []
    assert unlisted.due(["o1"], 10.0 + WAIT_SECS) == ["o1"]


def test_a_listed_order_is_not_due() -> None:
    unlisted = UnlistedOrders()
    unlisted.due(["o1", "o2"], 10.0)
    unlisted.listed(["o1", "of-today"])
    assert unlisted.due(["o1", "o2"], 10.0 + WAIT_SECS) == ["o2"]


def test_an_order_that_is_not_over_any_more_is_forgotten() -> None:
    unlisted = UnlistedOrders()
    unlisted.due(["o1"], 10.0)
    unlisted.due([], 20.0)
    assert unlisted.due(["o1"], 10.0 + WAIT_SECS) == []
