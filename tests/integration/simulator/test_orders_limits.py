"""Rate limits, static IPs, service hours and the ledger of orders."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from services.simulator.app import open_simulator
from services.simulator.settings import SimulatorSettings
from tests.support.builders import MONDAY_10_00
from tests.support.waiting import eventually

ORDER = {
    "quantity": 1,
    "product": "I",
    "validity": "DAY",
    "price": 0,
    "instrument_token": "NSE_EQ|INE002A01018",
    "order_type": "MARKET",
    "transaction_type": "BUY",
    "disclosed_quantity": 0,
    "trigger_price": 0,
    "is_amo": False,
}
NIGHT = MONDAY_10_00 - 8 * 3_600_000  # 02:00 IST


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client of a simulator whose market does not advance."""
    options = dict[str, Any](start_ms=MONDAY_10_00, calendar="exchange") | options
    settings = SimulatorSettings(port=0, ops_port=0, access_token=SecretStr("t"), **options)
    headers = {"Authorization": "Bearer t"}
    async with (
        open_simulator(settings) as simulator,
        aiohttp.ClientSession(f"http://127.0.0.1:{simulator.port}", headers=headers) as http,
    ):
        yield http


async def place(http: aiohttp.ClientSession, **more: Any) -> tuple[int, Any]:
    headers = more.pop("headers", {})
    async with http.post("/v3/order/place", json=ORDER | more, headers=headers) as response:
        return response.status, await response.json()


def code(body: Any) -> str:
    [error] = body["errors"]
    assert error["errorCode"] == error["error_code"]
    assert "data" not in body
    return str(error["error_code"])


async def test_orders_beyond_the_limit_of_a_minute_are_refused() -> None:
    async with running(calls_per_minute=3) as http:
        answers = [await place(http) for _ in range(4)]
        async with http.get("/v2/order/retrieve-all") as response:
            assert response.status == 200  # other calls have their own windows
    assert [status for status, _ in answers] == [200, 200, 200, 429]
    assert code(answers[-1][1]) == "UDAPI10005"


async def test_a_registered_algorithm_has_the_limit_of_other_calls() -> None:
    async with running(order_calls_per_sec=1) as http:

        async def is_refused() -> bool:
            return (await place(http))[0] == 429

        # On a busy machine two calls may be more than a second apart.
        await eventually(is_refused, what="a second call within a second is refused")
        assert (await place(http, headers={"X-Algo-Name": "mine"}))[0] == 200


async def test_rate_limits_can_be_disabled() -> None:
    async with running(rate_limits=False, order_calls_per_sec=1) as http:
        assert {(await place(http))[0] for _ in range(5)} == {200}


async def test_orders_are_accepted_from_the_registered_addresses_only() -> None:
    async with running(order_ips="10.1.2.3, 10.1.2.4") as http:
        status, body = await place(http)
        assert (status, code(body)) == (403, "UDAPI1154")
        async with http.get("/v2/order/retrieve-all") as response:
            assert response.status == 200
    async with running(order_ips="10.1.2.3,127.0.0.1") as http:
        assert (await place(http))[0] == 200


async def test_orders_and_funds_are_refused_outside_the_service_hours() -> None:
    async with running(start_ms=NIGHT) as http:
        status, body = await place(http)
        assert (status, code(body)) == (423, "UDAPI100074")
        async with http.get("/v3/user/get-funds-and-margin") as response:
            assert response.status == 423
            assert code(await response.json()) == "UDAPI100072"


async def test_market_orders_without_protection_can_be_refused() -> None:
    async with running(market_orders_need_protection=True) as http:
        status, body = await place(http)
        assert (status, code(body)) == (400, "UDAPI1158")
        assert (await place(http, market_protection=-1))[0] == 200


async def test_an_invalid_body_is_refused() -> None:
    async with running() as http:
        for data in (b"{", b"[1]", b"\xff"):
            async with http.post("/v3/order/place", data=data) as response:
                assert response.status == 400
                assert code(await response.json()) == "UDAPI100036"


async def test_the_ledger_contains_every_order_and_fill() -> None:
    async with running() as http:
        _, body = await place(http, quantity=3, tag="mine")
        [order_id] = body["data"]["order_ids"]
        await place(http, quantity=100_001)  # rejected: above the freeze quantity
        async with http.get("/simulator/v1/orders") as response:
            orders = await response.json()
        async with http.get("/simulator/v1/fills") as response:
            fills = await response.json()
    assert [order["status"] for order in orders] == ["complete", "rejected"]
    assert (orders[0]["order_id"], orders[0]["user_id"]) == (order_id, "SIM001")
    assert sum(fill["quantity"] for fill in fills) == 3
    assert {(fill["order_id"], fill["tag"]) for fill in fills} == {(order_id, "mine")}


async def test_an_order_whose_answer_was_lost_can_be_read_by_its_tag() -> None:
    async with running() as http:
        fault = {"kind": "lost", "method": "POST", "path": "/v3/order/place"}
        async with http.post("/simulator/v1/faults", json=fault) as response:
            assert response.status == 201
        with pytest.raises(aiohttp.ClientConnectionError):
            await place(http, tag="mine")
        async with http.get("/v2/order/history", params={"tag": "mine"}) as response:
            versions = (await response.json())["data"]
    assert versions[-1]["status"] == "complete"
    assert {version["tag"] for version in versions} == {"mine"}
