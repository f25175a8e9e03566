"""Bodies of commands, and the requests to the trading service that they become."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from services.gateway.rest.trading.bodies import KillSwitchSetting, NewOrder, OrderChanges
from shared.contracts.order_terms import Account, OrderType, Product, Side, Validity
from shared.contracts.trading import ModifyRequest, OrderRequest, SetKillSwitchRequest

KEY = "NSE_EQ|INE002A01018"
ORDER: dict[str, Any] = {
    "account": "paper", "key": KEY, "side": "SELL", "product": "D", "quantity": 3,
    "order_type": "SL-M", "validity": "IOC", "trigger_price": Decimal("99.5"),
    "disclosed_quantity": 1, "market_protection_percent": "2.5",
}  # fmt: skip


def test_a_new_order_becomes_a_command_and_a_preview() -> None:
    terms: dict[str, Any] = {
        "user_id": "u", "account": Account.PAPER, "key": KEY, "side": Side.SELL,
        "product": Product.DELIVERY, "quantity": 3, "order_type": OrderType.SL_M,
        "validity": Validity.IOC, "trigger_price": Decimal("99.5"), "disclosed_quantity": 1,
        "market_protection_percent": Decimal("2.5"),
    }  # fmt: skip
    order = NewOrder.model_validate(ORDER)
    assert order.request("u", "c-1") == OrderRequest(command_key="c-1", **terms)
    assert order.preview("u") == OrderRequest(**terms)


def test_a_new_order_has_every_term_of_the_request() -> None:
    ours = {"user_id", "command_key"}
    assert set(NewOrder.model_fields) == set(OrderRequest.__struct_fields__) - ours
    ours |= {"order_id"}
    assert set(OrderChanges.model_fields) == set(ModifyRequest.__struct_fields__) - ours


@pytest.mark.parametrize("name", ["account", "key", "side", "product", "quantity", "order_type"])
def test_nothing_that_decides_about_money_has_a_default(name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        NewOrder.model_validate({field: ORDER[field] for field in ORDER if field != name})
    assert [error["loc"] for error in caught.value.errors()] == [(name,)]


def test_changes_leave_out_what_stays() -> None:
    changes = OrderChanges.model_validate({"quantity": 5, "price": None})
    assert changes.request("o-1", "u", "c-1") == ModifyRequest(
        user_id="u", command_key="c-1", order_id="o-1", quantity=5
    )


@pytest.mark.parametrize("body", [{}, {"price": None}])
def test_changes_without_a_change_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="at least one field"):
        OrderChanges.model_validate(body)


def test_the_kill_switch_takes_true_and_false_only() -> None:
    setting = KillSwitchSetting.model_validate({"is_on": False})
    assert setting.request("u", "c-1") == SetKillSwitchRequest(
        user_id="u", command_key="c-1", is_on=False
    )
    for value in (0, 1, "true", None):
        with pytest.raises(ValidationError):
            KillSwitchSetting.model_validate({"is_on": value})
