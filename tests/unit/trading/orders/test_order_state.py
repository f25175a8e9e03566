"""An order in a final state is not filled any more."""

from services.trading.orders.order_state import OrderState


def test_the_final_states_are_those_in_which_nothing_is_filled_any_more() -> None:
    final = {state.value for state in OrderState if state.is_final}
    assert final == {"filled", "cancelled", "expired", "rejected"}
