"""What the official SDK makes of refused, lost and damaged answers to order calls."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import upstox_client
from upstox_client.rest import ApiException
from urllib3.exceptions import HTTPError

from tests.support.sdk import SDK_SECS, sdk_call
from tests.support.waiting import eventually

Sdk = Callable[[Callable[[Any], Any]], Awaitable[Any]]
PLACE = "/v3/order/place"
ORDER: dict[str, Any] = {
    "quantity": 1,
    "product": "I",
    "validity": "DAY",
    "price": 1_300.0,
    "instrument_token": "NSE_EQ|INE002A01018",
    "order_type": "LIMIT",
    "transaction_type": "BUY",
    "disclosed_quantity": 0,
    "trigger_price": 0.0,
    "is_amo": False,
    "tag": "mine",
}


async def arm(http: aiohttp.ClientSession, kind: str, **options: Any) -> None:
    async with http.post("/simulator/v1/faults", json={"kind": kind, **options}) as response:
        assert response.status == 201, await response.text()


def place(client: Any) -> Any:
    body = upstox_client.PlaceOrderV3Request(**ORDER)
    return upstox_client.OrderApiV3(client).place_order(body, _request_timeout=SDK_SECS)


async def refusal(sdk: Sdk, work: Callable[[Any], Any] = place) -> ApiException:
    with pytest.raises(ApiException) as error:
        await sdk(work)
    return error.value


async def placed(http: aiohttp.ClientSession) -> int:
    """The number of orders with the tag."""
    async with http.get("/simulator/v1/orders") as response:
        return sum(order["tag"] == "mine" for order in await response.json())


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "UDAPI100036"),
        (401, "UDAPI100050"),
        (403, "UDAPI1154"),
        (423, "UDAPI100074"),
        (429, "UDAPI10005"),
        (500, "UDAPI100500"),
    ],
)
async def test_an_order_is_refused_with_a_chosen_code_in_both_cases(
    http: aiohttp.ClientSession, sdk: Sdk, status: int, code: str
) -> None:
    await arm(http, "error", path=PLACE, status=status, error_code=code, message="No, thanks")
    answered = await refusal(sdk)
    assert answered.status == status
    body = json.loads(answered.body)
    assert (body["status"], "data" in body) == ("error", False)
    (error,) = body["errors"]
    assert error["errorCode"] == error["error_code"] == code
    assert error["message"] == "No, thanks"
    assert {"propertyPath", "property_path", "invalidValue", "invalid_value"} < set(error)
    assert await placed(http) == 0


@pytest.mark.parametrize("is_executed", [False, True])
@pytest.mark.parametrize(("kind", "status"), [("error", 500), ("html", 403), ("html", 503)])
async def test_an_error_comes_before_or_after_the_execution(
    http: aiohttp.ClientSession, sdk: Sdk, kind: str, status: int, is_executed: bool
) -> None:
    await arm(http, kind, path=PLACE, status=status, is_executed=is_executed)
    answered = await refusal(sdk)
    assert answered.status == status
    assert (b"Cloudflare" in answered.body) is (kind == "html")
    assert await placed(http) == is_executed


@pytest.mark.parametrize(
    ("kind", "options", "orders"),
    [
        ("html", {"status": 200}, 0),
        ("html", {"status": 200, "is_executed": True}, 1),
        ("not_json", {}, 1),
    ],
)
async def test_a_success_that_is_not_json_is_a_type_error_of_the_official_sdk(
    http: aiohttp.ClientSession, sdk: Sdk, kind: str, options: dict[str, Any], orders: int
) -> None:
    await arm(http, kind, path=PLACE, **options)
    with pytest.raises(TypeError):
        await sdk(place)
    assert await placed(http) == orders


@pytest.mark.parametrize(("kind", "orders"), [("reset", 0), ("lost", 1), ("cut", 1)])
async def test_an_aborted_connection_is_an_error_of_urllib3(
    http: aiohttp.ClientSession, sdk: Sdk, kind: str, orders: int
) -> None:
    await arm(http, kind, path=PLACE)
    with pytest.raises(HTTPError):
        await sdk(place)
    assert await placed(http) == orders


async def test_a_slow_order_is_executed_although_its_client_has_left(
    http: aiohttp.ClientSession,
) -> None:
    await arm(http, "slow", path=PLACE, delay_secs=5.0)
    with pytest.raises(TimeoutError):
        await http.post(PLACE, json=ORDER, timeout=aiohttp.ClientTimeout(total=1.0))
    assert await placed(http) == 0

    async def is_placed() -> bool:
        return await placed(http) == 1

    await eventually(is_placed, what="the order is executed")


async def test_a_refusal_can_be_delayed(http: aiohttp.ClientSession) -> None:
    await arm(http, "reset", path=PLACE, delay_secs=0.3)
    with pytest.raises(TimeoutError):
        await http.post(PLACE, json=ORDER, timeout=aiohttp.ClientTimeout(total=0.1))
    await arm(http, "reset", path=PLACE, delay_secs=0.1)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await http.post(PLACE, json=ORDER)
    assert await placed(http) == 0


async def test_a_doubled_order_has_two_ids_with_one_tag(
    http: aiohttp.ClientSession, sdk: Sdk
) -> None:
    await arm(http, "doubled", path=PLACE)
    answer = await sdk(place)
    history = await sdk(
        lambda client: upstox_client.OrderApi(client).get_order_details(
            "2.0", tag="mine", _request_timeout=SDK_SECS
        )
    )
    order_ids = {version.order_id for version in history.data}
    assert len(order_ids) == 2
    assert answer.data.order_ids[0] == min(order_ids)


async def test_a_modification_is_refused_and_the_order_stays_open(
    http: aiohttp.ClientSession, sdk: Sdk
) -> None:
    order_id = (await sdk(place)).data.order_ids[0]
    await arm(http, "error", path="/v3/order/modify", status=400, error_code="UDAPI100010")
    change = upstox_client.ModifyOrderRequest(
        order_id=order_id, validity="DAY", price=1_310.0, order_type="LIMIT", trigger_price=0.0
    )

    def modify(client: Any) -> Any:
        return upstox_client.OrderApiV3(client).modify_order(change, _request_timeout=SDK_SECS)

    assert (await refusal(sdk, modify)).status == 400
    status = await sdk(
        lambda client: upstox_client.OrderApi(client).get_order_status(
            order_id=order_id, _request_timeout=SDK_SECS
        )
    )
    assert (status.data.status, status.data.price) == ("open", 1_300.0)


async def test_a_fault_of_one_user_leaves_the_others_alone(
    http: aiohttp.ClientSession, sdk: Sdk, base_url: str
) -> None:
    body = {"kind": "full", "user_id": "SIM002"}
    async with http.post("/simulator/v1/login/tokens", json=body) as response:
        token = (await response.json())["access_token"]
    await arm(http, "error", path=PLACE, user_id="SIM002", times=None)
    assert (await sdk(place)).status == "success"
    with pytest.raises(ApiException):
        await sdk_call(base_url, token, place)
