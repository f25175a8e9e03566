"""The official SDK places, modifies, cancels and reads orders in its own models."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import upstox_client
from upstox_client.rest import ApiException

from tests.support.sdk import SDK_SECS

Sdk = Callable[[Callable[[Any], Any]], Awaitable[Any]]

RELIANCE = "NSE_EQ|INE002A01018"
BROKERAGE = {
    "instrument_token": RELIANCE,
    "quantity": "1",
    "product": "D",
    "transaction_type": "BUY",
    "price": "1300",
}
REPORT = {"segment": "EQ", "financial_year": "2526", "page_number": "1", "page_size": "100"}


def order(**more: Any) -> dict[str, Any]:
    """An intraday market order of one share."""
    return {
        "quantity": 1,
        "product": "I",
        "validity": "DAY",
        "price": 0.0,
        "instrument_token": RELIANCE,
        "order_type": "MARKET",
        "transaction_type": "BUY",
        "disclosed_quantity": 0,
        "trigger_price": 0.0,
        "is_amo": False,
    } | more


def resting(**more: Any) -> dict[str, Any]:
    """A limit order far below the market."""
    return order(order_type="LIMIT", price=1_300.0, **more)


def modification(order_id: str, **more: Any) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "validity": "DAY",
        "price": 1_310.0,
        "order_type": "LIMIT",
        "trigger_price": 0.0,
    } | more


async def test_a_v3_order_is_placed_modified_and_cancelled(sdk: Sdk) -> None:
    def work(client: Any) -> list[Any]:
        api, reads = upstox_client.OrderApiV3(client), upstox_client.OrderApi(client)
        body = upstox_client.PlaceOrderV3Request(**resting(tag="mine", market_protection=-1))
        placed = api.place_order(body, _request_timeout=SDK_SECS)
        order_id = placed.data.order_ids[0]
        change = upstox_client.ModifyOrderRequest(**modification(order_id, quantity=2))
        modified = api.modify_order(change, _request_timeout=SDK_SECS)
        cancelled = api.cancel_order(order_id, _request_timeout=SDK_SECS)
        history = reads.get_order_details("2.0", tag="mine", _request_timeout=SDK_SECS)
        return [placed, modified, cancelled, history]

    placed, modified, cancelled, history = await sdk(work)
    assert placed.status == "success"
    assert placed.metadata.latency >= 0
    assert modified.data.order_id == cancelled.data.order_id == placed.data.order_ids[0]
    assert [version.status for version in history.data] == [
        "put order req received",
        "validation pending",
        "open pending",
        "open",
        "modify validation pending",
        "modify pending",
        "modified",
        "open",
        "cancel pending",
        "cancelled",
    ]
    assert (history.data[-1].quantity, history.data[-1].price) == (2, 1_310.0)


async def test_a_v2_order_is_filled_and_its_trades_are_returned(sdk: Sdk) -> None:
    def work(client: Any) -> list[Any]:
        api = upstox_client.OrderApi(client)
        body = upstox_client.PlaceOrderRequest(**order(quantity=5))
        order_id = api.place_order(body, "2.0", _request_timeout=SDK_SECS).data.order_id
        return [
            api.get_order_status(order_id=order_id, _request_timeout=SDK_SECS),
            api.get_trades_by_order(order_id, "2.0", _request_timeout=SDK_SECS),
            api.get_trade_history("2.0", _request_timeout=SDK_SECS),
            api.get_order_book("2.0", _request_timeout=SDK_SECS),
        ]

    status, trades, day, book = await sdk(work)
    assert (status.data.status, status.data.filled_quantity) == ("complete", 5)
    assert sum(trade.quantity for trade in trades.data) == 5
    spent = sum(trade.quantity * trade.average_price for trade in trades.data)
    assert status.data.average_price == pytest.approx(spent / 5)
    assert [trade.trade_id for trade in day.data] == [trade.trade_id for trade in trades.data]
    assert [row.order_id for row in book.data] == [status.data.order_id]


async def test_a_v2_order_is_modified_and_cancelled(sdk: Sdk) -> None:
    def work(client: Any) -> list[str]:
        api = upstox_client.OrderApi(client)
        body = upstox_client.PlaceOrderRequest(**resting())
        order_id = api.place_order(body, "2.0", _request_timeout=SDK_SECS).data.order_id
        change = upstox_client.ModifyOrderRequest(**modification(order_id))
        modified = api.modify_order(change, "2.0", _request_timeout=SDK_SECS)
        cancelled = api.cancel_order(order_id, "2.0", _request_timeout=SDK_SECS)
        return [order_id, modified.data.order_id, cancelled.data.order_id]

    assert len(set(await sdk(work))) == 1


async def test_a_sliced_order_has_several_ids(sdk: Sdk) -> None:
    def work(client: Any) -> Any:
        body = upstox_client.PlaceOrderV3Request(**resting(quantity=250_000, slice=True))
        return upstox_client.OrderApiV3(client).place_order(body, _request_timeout=SDK_SECS)

    assert len((await sdk(work)).data.order_ids) == 3


async def test_a_batch_of_orders_is_placed_and_cancelled(sdk: Sdk) -> None:
    def work(client: Any) -> list[Any]:
        api = upstox_client.OrderApi(client)
        bodies = [
            upstox_client.MultiOrderRequest(
                **order(transaction_type="SELL"), slice=False, correlation_id="sell"
            ),
            upstox_client.MultiOrderRequest(
                **resting(tag="batch"), slice=False, correlation_id="buy"
            ),
        ]
        succeeded = api.place_multi_order(bodies, _request_timeout=SDK_SECS)
        bodies[0].quantity = 0
        mixed = api.place_multi_order_with_http_info(bodies, _request_timeout=SDK_SECS)
        cancelled = api.cancel_multi_order(tag="batch", _request_timeout=SDK_SECS)
        exited = api.exit_positions(_request_timeout=SDK_SECS)
        book = api.get_order_book("2.0", _request_timeout=SDK_SECS)
        return [succeeded, mixed, cancelled, exited, book]

    succeeded, mixed, cancelled, exited, book = await sdk(work)
    assert succeeded.status == "success"
    assert [row.correlation_id for row in succeeded.data] == ["buy", "sell"]
    assert (succeeded.summary.total, succeeded.summary.success) == (2, 2)
    partial, status, _ = mixed
    assert (status, partial.status) == (207, "partial_success")
    assert [(error.error_code, error.correlation_id) for error in partial.errors] == [
        ("UDAPI1052", "sell")
    ]
    assert (partial.summary.error, partial.summary.payload_error) == (1, 0)
    assert (cancelled.summary.total, len(cancelled.data.order_ids)) == (2, 2)
    assert len(exited.data.order_ids) == 1
    assert book.data[-1].transaction_type == "BUY"
    assert book.data[-1].status == "complete"


async def test_an_invalid_body_is_counted_as_payload_error(http: aiohttp.ClientSession) -> None:
    bodies = [
        resting() | {"price": 1_300.001, "correlation_id": "unread"},
        resting() | {"correlation_id": "good"},
    ]
    async with http.post("/v2/order/multi/place", json=bodies) as answer:
        assert answer.status == 207
        summary = (await answer.json())["summary"]
    assert summary == {"total": 2, "success": 1, "error": 1, "payload_error": 1}


async def test_a_batch_without_a_valid_order_is_an_error(sdk: Sdk) -> None:
    def work(client: Any) -> Any:
        body = upstox_client.MultiOrderRequest(
            **order(quantity=0), slice=False, correlation_id="one"
        )
        with pytest.raises(ApiException) as error:
            upstox_client.OrderApi(client).place_multi_order([body], _request_timeout=SDK_SECS)
        return error.value

    exception = await sdk(work)
    assert exception.status == 400
    assert b'"UDAPI1052"' in exception.body


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (order(quantity=0), b"UDAPI1052"),
        (order(instrument_token="NSE_EQ|NOBODY"), b"UDAPI100011"),
        (order(instrument_token="NSE_INDEX|Nifty 50"), b"UDAPI100011"),
        (order(tag="x" * 41), b"UDAPI1119"),
        (order(price=1_300.0), b"UDAPI1040"),
        (resting() | {"price": 1_300.001}, b"UDAPI100036"),
    ],
)
async def test_a_refused_order_has_the_code_of_its_error(
    sdk: Sdk, body: dict[str, Any], code: bytes
) -> None:
    def work(client: Any) -> Any:
        request = upstox_client.PlaceOrderV3Request(**body)
        with pytest.raises(ApiException) as error:
            upstox_client.OrderApiV3(client).place_order(request, _request_timeout=SDK_SECS)
        return error.value

    exception = await sdk(work)
    assert exception.status == 400
    assert code in exception.body


async def test_an_unknown_order_cannot_be_cancelled(sdk: Sdk) -> None:
    def work(client: Any) -> Any:
        with pytest.raises(ApiException) as error:
            upstox_client.OrderApiV3(client).cancel_order(
                "nobodys-order", _request_timeout=SDK_SECS
            )
        return error.value

    exception = await sdk(work)
    assert exception.status == 404
    assert b"UDAPI100010" in exception.body


async def test_an_order_with_numbers_as_strings_is_placed_and_modified(
    http: aiohttp.ClientSession,
) -> None:
    # The body of OpenAlgo, a third-party program.
    body = resting(tag="openalgo") | {
        "quantity": "1",
        "price": "1300.00",
        "disclosed_quantity": "0",
        "trigger_price": "0",
        "is_amo": "false",
    }
    async with http.post("/v3/order/place", json=body) as answer:
        assert answer.status == 200
        (order_id,) = (await answer.json())["data"]["order_ids"]
    change = modification(order_id) | {"price": "1310.10", "trigger_price": "0", "quantity": "3"}
    async with http.put("/v3/order/modify", json=change) as answer:
        assert answer.status == 200
    async with http.get("/v2/order/details", params={"order_id": order_id}) as answer:
        row = (await answer.json())["data"]
    assert (row["quantity"], row["price"], row["status"]) == (3, 1_310.1, "open")


@pytest.mark.parametrize(
    ("method", "path", "query", "code"),
    [
        ("DELETE", "/v2/order/cancel", {}, "UDAPI1023"),
        ("DELETE", "/v3/order/cancel", {"order_id": "no;order"}, "UDAPI1010"),
        ("GET", "/v2/order/details", {}, "UDAPI1023"),
        ("GET", "/v2/order/trades", {"order_id": "a b"}, "UDAPI1010"),
        ("GET", "/v2/order/history", {}, "UDAPI100059"),
        ("DELETE", "/v2/order/multi/cancel", {"segment": "XX_EQ"}, "UDAPI1108"),
        ("DELETE", "/v2/order/multi/cancel", {}, "UDAPI1109"),
        ("POST", "/v2/order/positions/exit", {"segment": "XX_EQ"}, "UDAPI1108"),
        ("POST", "/v2/order/positions/exit", {}, "UDAPI1111"),
        ("GET", "/v2/charges/brokerage", BROKERAGE | {"price": "0"}, "UDAPI1065"),
        ("GET", "/v2/charges/brokerage", BROKERAGE | {"quantity": "0"}, "UDAPI1064"),
        ("GET", "/v2/charges/brokerage", BROKERAGE | {"product": ""}, "UDAPI1063"),
        ("GET", "/v2/charges/brokerage", BROKERAGE | {"product": "X"}, "UDAPI1054"),
        ("GET", "/v2/trade/profit-loss/data", {"segment": "EQ"}, "UDAPI1070"),
        ("GET", "/v2/trade/profit-loss/data", REPORT | {"segment": "X"}, "UDAPI1066"),
        ("GET", "/v2/trade/profit-loss/data", REPORT | {"page_size": "5001"}, "UDAPI1107"),
        ("GET", "/v2/trade/profit-loss/data", REPORT | {"page_size": "0"}, "UDAPI1106"),
        ("GET", "/v2/trade/profit-loss/data", REPORT | {"page_number": ""}, "UDAPI1071"),
        ("GET", "/v2/trade/profit-loss/charges", REPORT | {"to_date": "2026"}, "UDAPI1075"),
        ("GET", "/v2/charges/historical-trades", {"start_date": "2026-01-01"}, "UDAPI1069"),
    ],
)
async def test_a_parameter_is_refused_with_the_documented_code(
    http: aiohttp.ClientSession, method: str, path: str, query: dict[str, str], code: str
) -> None:
    async with http.request(method, path, params=query) as answer:
        assert answer.status == 400
        assert (await answer.json())["errors"][0]["errorCode"] == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"quantity": 0}, "UDAPI1096"),
        ({"quantity": None}, "UDAPI1097"),
        ({"instrument_key": ""}, "UDAPI1099"),
        ({"instrument_key": "NSE_EQ|NOBODY"}, "UDAPI100011"),
        ({"product": None}, "UDAPI1100"),
        ({"transaction_type": None}, "UDAPI1101"),
    ],
)
async def test_a_margin_request_is_refused_with_the_documented_code(
    http: aiohttp.ClientSession, change: dict[str, object], code: str
) -> None:
    row = {"instrument_key": RELIANCE, "quantity": "1", "product": "D", "transaction_type": "BUY"}
    async with http.post("/v2/charges/margin", json={"instruments": [row]}) as answer:
        assert answer.status == 200
    async with http.post("/v2/charges/margin", json={"instruments": [row | change]}) as answer:
        assert answer.status == 400
        assert (await answer.json())["errors"][0]["errorCode"] == code
    async with http.post("/v2/charges/margin", json={"instruments": [row] * 21}) as answer:
        assert (await answer.json())["errors"][0]["errorCode"] == "UDAPI1102"
