"""The effect of faults on HTTP requests."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import aiohttp
import pytest
import upstox_client
import yarl
from upstox_client.rest import ApiException

from tests.support.sdk import SDK_SECS

FAULTS = "/simulator/v1/faults"
PROFILE = "/v2/user/profile"
LOGOUT = "/v2/logout"
Sdk = Callable[[Callable[[Any], Any]], Awaitable[Any]]


async def arm(http: aiohttp.ClientSession, kind: str, **options: Any) -> int:
    async with http.post(FAULTS, json={"kind": kind, **options}) as response:
        assert response.status == 201, await response.text()
        number: int = (await response.json())["number"]
        return number


async def status_of(http: aiohttp.ClientSession, path: str = PROFILE) -> int:
    async with http.get(path) as response:
        return response.status


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_an_error_fault_applies_the_configured_number_of_times(
    http: aiohttp.ClientSession, status: int
) -> None:
    await arm(http, "error", status=status, times=2)
    assert [await status_of(http) for _ in range(3)] == [status, status, 200]


async def test_the_official_sdk_raises_on_an_error(http: aiohttp.ClientSession, sdk: Sdk) -> None:
    await arm(http, "error", status=500)
    with pytest.raises(ApiException) as error:
        await sdk(lambda c: upstox_client.UserApi(c).get_profile("2.0", _request_timeout=SDK_SECS))
    assert error.value.status == 500
    assert json.loads(error.value.body)["errors"][0]["errorCode"] == "UDAPI100500"


async def test_a_fault_applies_to_its_path_and_method_only(
    http: aiohttp.ClientSession,
) -> None:
    await arm(http, "error", path="/v2/logout", method="DELETE")
    assert await status_of(http) == 200
    async with http.delete(LOGOUT) as response:
        assert response.status == 500
    assert await status_of(http) == 200  # so the failed request was not executed


async def test_a_lost_answer_belongs_to_an_executed_request(
    http: aiohttp.ClientSession,
) -> None:
    await arm(http, "lost", path="/v2/login", times=1)
    decision = {
        "client_id": "simulated-client",
        "redirect_uri": "http://127.0.0.1:7440/simulator/v1/login/callback",
        "decision": "allow",
    }
    path = "/simulator/v1/login/decision"
    async with http.post(path, data=decision, allow_redirects=False) as response:
        code = response.headers["Location"].partition("code=")[2]
    form = decision | {
        "client_secret": "simulated-secret",
        "grant_type": "authorization_code",
        "code": code,
    }
    # With POST, because the client repeats other methods by itself.
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await http.post("/v2/login/authorization/token", data=form)
    async with http.post("/v2/login/authorization/token", data=form) as response:
        assert (await response.json())["errors"][0]["errorCode"] == "UDAPI100057"


async def test_the_official_sdk_repeats_a_delete_whose_answer_is_lost(
    http: aiohttp.ClientSession, sdk: Sdk
) -> None:
    await arm(http, "lost", path=LOGOUT)
    with pytest.raises(ApiException) as error:
        await sdk(lambda c: upstox_client.LoginApi(c).logout("2.0", _request_timeout=SDK_SECS))
    assert error.value.status == 401  # the first request revoked the token


async def test_a_request_with_a_late_answer_is_executed_at_once(
    http: aiohttp.ClientSession,
) -> None:
    await arm(http, "late", path=LOGOUT, delay_secs=0.3)
    with pytest.raises(TimeoutError):
        await http.delete(LOGOUT, timeout=aiohttp.ClientTimeout(total=0.1))
    assert await status_of(http) == 401


async def test_a_request_that_is_cut_off_is_not_executed_and_takes_no_fault(
    http: aiohttp.ClientSession, base_url: str
) -> None:
    number = await arm(http, "late", path=LOGOUT)
    url = yarl.URL(base_url)
    _, writer = await asyncio.open_connection(url.host, url.port)
    token = http.headers["Authorization"]
    head = f"DELETE {LOGOUT} HTTP/1.1\r\nHost: a\r\nAuthorization: {token}\r\n"
    writer.write(f"{head}Content-Length: 10\r\n\r\nhalf".encode())
    writer.close()
    await writer.wait_closed()
    assert await status_of(http) == 200
    async with http.get(FAULTS) as response:
        assert [one["number"] for one in await response.json()] == [number]


async def test_a_slow_request_is_delayed(http: aiohttp.ClientSession) -> None:
    await arm(http, "slow", delay_secs=0.2)
    loop = asyncio.get_running_loop()
    started = loop.time()
    assert await status_of(http) == 200
    assert loop.time() - started >= 0.2


async def test_tokens_can_be_revoked_and_the_configured_one_restored(
    http: aiohttp.ClientSession,
) -> None:
    statuses = []
    for alive in (False, True):
        async with http.post(f"{FAULTS}/tokens", json={"alive": alive}) as response:
            assert response.status == HTTPStatus.NO_CONTENT
        statuses.append(await status_of(http))
    assert statuses == [401, 200]


async def test_a_handshake_can_be_refused(http: aiohttp.ClientSession) -> None:
    for status in (401, 403):
        await arm(http, "error", path="/market-data-feeder", status=status)
        async with http.get("/v3/feed/market-data-feed/authorize") as response:
            uri = (await response.json())["data"]["authorizedRedirectUri"]
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await http.ws_connect(uri)
        assert error.value.status == status


async def test_armed_faults_are_listed_and_disarmed(http: aiohttp.ClientSession) -> None:
    first = await arm(http, "error", times=None)
    second = await arm(http, "lost", path=LOGOUT, method="DELETE", after=3)
    async with http.get(FAULTS) as response:
        listed = await response.json()
    assert [fault["number"] for fault in listed] == [first, second]
    assert (listed[1]["path"], listed[1]["after"]) == (LOGOUT, 3)
    async with http.delete(f"{FAULTS}/{first}") as response:
        assert response.status == HTTPStatus.NO_CONTENT
    async with http.delete(f"{FAULTS}/{first}") as response:
        assert response.status == HTTPStatus.NOT_FOUND
    assert await status_of(http) == 200
    async with http.delete(FAULTS) as response:
        assert response.status == HTTPStatus.NO_CONTENT
    async with http.get(FAULTS) as response:
        assert await response.json() == []


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "nothing"},
        {"kind": "error", "times": 0},
        {"kind": "error", "status": 999},
        {"kind": "slow", "delay_secs": 61},
        {"kind": "drop", "path": "/v2"},
        {"kind": "drop", "unknown": 1},
        {"kind": "drop", "stream": "tape"},
        {"kind": "error", "stream": "portfolio"},
        {"kind": "error", "error_code": "E1"},
        {"kind": "error", "user_id": "sim 2"},
    ],
)
async def test_an_invalid_fault_is_refused(
    http: aiohttp.ClientSession, body: dict[str, object]
) -> None:
    async with http.post(FAULTS, json=body) as response:
        assert response.status == 422
