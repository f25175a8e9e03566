"""The official SDK places, modifies, cancels and reads GTT orders."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import upstox_client
from upstox_client.rest import ApiException

from tests.support.sdk import SDK_SECS

Sdk = Callable[[Callable[[Any], Any]], Awaitable[Any]]

RELIANCE = "NSE_EQ|INE002A01018"


def rule(strategy: str, trigger_type: str, price: float, **more: Any) -> Any:
    return upstox_client.GttRule(
        strategy=strategy, trigger_type=trigger_type, trigger_price=price, **more
    )


def place(client: Any, gtt_type: str, *rules: Any) -> str:
    body = upstox_client.GttPlaceOrderRequest(
        type=gtt_type,
        quantity=2,
        product="I",
        rules=list(rules),
        instrument_token=RELIANCE,
        transaction_type="BUY",
    )
    answer = upstox_client.OrderApiV3(client).place_gtt_order(body, _request_timeout=SDK_SECS)
    assert answer.status == "success"
    [gtt_id] = answer.data.gtt_order_ids
    return str(gtt_id)


async def test_a_gtt_order_is_placed_modified_and_cancelled(sdk: Sdk) -> None:
    def work(client: Any) -> Any:
        api = upstox_client.OrderApiV3(client)
        gtt_id = place(client, "SINGLE", rule("ENTRY", "BELOW", 1_000.0))
        change = upstox_client.GttModifyOrderRequest(
            type="SINGLE",
            quantity=3,
            rules=[rule("ENTRY", "BELOW", 1_100.0)],
            gtt_order_id=gtt_id,
        )
        api.modify_gtt_order(change, _request_timeout=SDK_SECS)
        body = upstox_client.GttCancelOrderRequest(gtt_order_id=gtt_id)
        api.cancel_gtt_order(body, _request_timeout=SDK_SECS)
        with pytest.raises(ApiException) as second_cancel:
            api.cancel_gtt_order(body, _request_timeout=SDK_SECS)
        assert second_cancel.value.status == 400
        return api.get_gtt_order_details(gtt_order_id=gtt_id, _request_timeout=SDK_SECS)

    [gtt] = (await sdk(work)).data
    assert (gtt.quantity, gtt.rules[0].trigger_price, gtt.rules[0].status) == (
        3,
        1_100.0,
        "CANCELLED",
    )
    assert gtt.expires_at - gtt.created_at == 365 * 86_400 * 1_000_000


async def test_an_immediate_entry_is_filled_and_its_exits_are_pending(sdk: Sdk) -> None:
    def work(client: Any) -> list[Any]:
        place(
            client,
            "MULTIPLE",
            rule("ENTRY", "IMMEDIATE", 1_400.0),
            rule("TARGET", "IMMEDIATE", 1_600.0),
            rule("STOPLOSS", "IMMEDIATE", 1_300.0, trailing_gap=10.0),
        )
        api = upstox_client.OrderApiV3(client)
        positions = upstox_client.PortfolioApi(client).get_positions(
            "2.0", _request_timeout=SDK_SECS
        )
        return [api.get_gtt_order_details(_request_timeout=SDK_SECS), positions]

    details, positions = await sdk(work)
    [gtt] = details.data
    assert [(each.strategy, each.status) for each in gtt.rules] == [
        ("ENTRY", "COMPLETED"),
        ("TARGET", "PENDING"),
        ("STOPLOSS", "PENDING"),
    ]
    assert [each.transaction_type for each in gtt.rules] == ["BUY", "SELL", "SELL"]
    assert gtt.rules[2].trailing_gap == 10.0
    assert gtt.rules[0].order_id
    assert positions.data[0].quantity == 2
