"""Login as at Upstox, with plain HTTP and with the official SDK."""

import json
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import upstox_client
from upstox_client.rest import ApiException

from tests.support.sdk import SDK_SECS, sdk_call

CLIENT_ID = "simulated-client"
SECRET = "simulated-secret"
REDIRECT_URI = "http://127.0.0.1:7440/simulator/v1/login/callback"
DIALOG = "/v2/login/authorization/dialog"
TOKEN_PATH = "/v2/login/authorization/token"
QUERY = {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": REDIRECT_URI}
FORM = {
    "client_id": CLIENT_ID,
    "client_secret": SECRET,
    "redirect_uri": REDIRECT_URI,
    "grant_type": "authorization_code",
}
PROFILE_FIELDS = {
    *("email", "exchanges", "products", "broker", "user_id", "user_name", "order_types"),
    *("user_type", "poa", "is_active"),
}


async def decide(http: aiohttp.ClientSession, decision: str, **more: str) -> dict[str, list[str]]:
    """The parameters of the redirect after the dialog."""
    form = {**QUERY, "state": "a b&c", "decision": decision, **more}
    path = "/simulator/v1/login/decision"
    async with http.post(path, data=form, allow_redirects=False) as response:
        assert response.status == 302
        location = urlsplit(response.headers["Location"])
    assert location._replace(query="").geturl() == REDIRECT_URI
    return parse_qs(location.query)


async def new_code(http: aiohttp.ClientSession) -> str:
    return (await decide(http, "allow"))["code"][0]


async def error_code(response: aiohttp.ClientResponse) -> str:
    body = await response.json()
    assert body["status"] == "error"
    code: str = body["errors"][0]["errorCode"]
    return code


async def profile_status(http: aiohttp.ClientSession, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with http.get("/v2/user/profile", headers=headers) as response:
        return response.status


async def test_the_dialog_escapes_its_parameters(http: aiohttp.ClientSession) -> None:
    async with http.get(DIALOG, params={**QUERY, "state": '"><b>'}) as response:
        assert response.status == 200
        page = await response.text()
    assert 'value="allow"' in page
    assert "&quot;&gt;&lt;b&gt;" in page


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"client_id": "nobody"}, "UDAPI100068"),
        ({"redirect_uri": "http://elsewhere/"}, "UDAPI100068"),
        ({"response_type": "token"}, "UDAPI100036"),
    ],
)
async def test_invalid_dialog_parameters_are_refused(
    http: aiohttp.ClientSession, change: dict[str, str], code: str
) -> None:
    async with http.get(DIALOG, params=QUERY | change) as response:
        assert response.status == 400
        assert await error_code(response) == code


async def test_the_default_redirect_address_returns_the_code(
    http: aiohttp.ClientSession,
) -> None:
    form = {**QUERY, "state": "s", "decision": "allow"}
    path = "/simulator/v1/login/decision"
    async with http.post(path, data=form, allow_redirects=False) as response:
        location = urlsplit(response.headers["Location"])
    async with http.get(f"{location.path}?{location.query}") as response:
        parameters = await response.json()
    assert set(parameters) == {"code", "state"}


async def test_a_denial_redirects_with_an_error_and_the_state(http: aiohttp.ClientSession) -> None:
    assert await decide(http, "deny") == {"error": ["access_denied"], "state": ["a b&c"]}


async def test_a_code_is_exchanged_once_for_a_token_and_the_profile(
    http: aiohttp.ClientSession,
) -> None:
    code = await new_code(http)
    async with http.post(TOKEN_PATH, data=FORM | {"code": code}) as response:
        assert response.status == 200
        body = await response.json()
    assert set(body) == PROFILE_FIELDS | {"access_token", "extended_token"}
    assert body["extended_token"] is None
    assert await profile_status(http, body["access_token"]) == 200
    async with http.post(TOKEN_PATH, data=FORM | {"code": code}) as response:
        assert response.status == 401
        assert await error_code(response) == "UDAPI100057"


async def test_a_second_user_logs_in_and_has_an_account_of_its_own(
    http: aiohttp.ClientSession,
) -> None:
    code = (await decide(http, "allow", user_id="SIM002"))["code"][0]
    async with http.post(TOKEN_PATH, data=FORM | {"code": code}) as response:
        body = await response.json()
    assert body["user_id"] == "SIM002"
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    async with http.get("/v2/user/profile", headers=headers) as response:
        assert (await response.json())["data"]["user_id"] == "SIM002"
    assert await profile_status(http, body["access_token"]) == 200
    dead = {"alive": False, "user_id": "SIM002"}
    async with http.post("/simulator/v1/faults/tokens", json=dead) as response:
        assert response.status == 204
    assert await profile_status(http, body["access_token"]) == 401
    async with http.get("/v2/user/profile") as response:
        assert (await response.json())["data"]["user_id"] == "SIM001"


async def test_a_user_id_of_another_form_is_refused(http: aiohttp.ClientSession) -> None:
    form = {**QUERY, "decision": "allow", "user_id": "sim 2"}
    path = "/simulator/v1/login/decision"
    async with http.post(path, data=form, allow_redirects=False) as response:
        assert response.status == 400
        assert await error_code(response) == "UDAPI100036"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"client_secret": "wrong"}, "UDAPI100016"),
        ({"redirect_uri": "http://elsewhere/"}, "UDAPI100068"),
        ({"grant_type": "password"}, "UDAPI100036"),
    ],
)
async def test_a_refused_exchange_uses_up_the_code(
    http: aiohttp.ClientSession, change: dict[str, str], code: str
) -> None:
    form = FORM | {"code": await new_code(http)}
    async with http.post(TOKEN_PATH, data=form | change) as response:
        assert await error_code(response) == code
    async with http.post(TOKEN_PATH, data=form) as response:
        assert await error_code(response) == "UDAPI100057"


async def test_an_extended_token_is_issued_on_request_and_permits_reads_only(
    http: aiohttp.ClientSession,
) -> None:
    form = FORM | {"code": await new_code(http), "refresh_extended_token": "true"}
    async with http.post(TOKEN_PATH, data=form) as response:
        token = (await response.json())["extended_token"]
    assert await profile_status(http, token) == 200
    headers = {"Authorization": f"Bearer {token}"}
    async with http.delete("/v2/logout", headers=headers) as response:
        assert await error_code(response) == "UDAPI100067"


async def test_an_analytics_token_permits_reads_and_a_new_one_revokes_it(
    http: aiohttp.ClientSession,
) -> None:
    tokens = []
    for _ in range(2):
        async with http.post("/simulator/v1/login/tokens", json={"kind": "analytics"}) as response:
            tokens.append((await response.json())["access_token"])
    assert [await profile_status(http, token) for token in tokens] == [401, 200]
    headers = {"Authorization": f"Bearer {tokens[1]}"}
    async with http.delete("/v2/logout", headers=headers) as response:
        assert await error_code(response) == "UDAPI100067"


async def test_a_token_of_any_user_is_issued_without_a_login(http: aiohttp.ClientSession) -> None:
    body = {"kind": "full", "user_id": "SIM003"}
    async with http.post("/simulator/v1/login/tokens", json=body) as response:
        token = (await response.json())["access_token"]
    async with http.get(
        "/v2/user/profile", headers={"Authorization": f"Bearer {token}"}
    ) as response:
        assert (await response.json())["data"]["user_id"] == "SIM003"


async def test_a_sandbox_token_permits_no_reads(http: aiohttp.ClientSession) -> None:
    async with http.post("/simulator/v1/login/tokens", json={"kind": "sandbox"}) as response:
        token = (await response.json())["access_token"]
    assert await profile_status(http, token) == 401


async def test_logout_revokes_the_token(http: aiohttp.ClientSession) -> None:
    async with http.delete("/v2/logout") as response:
        assert await response.json() == {"status": "success", "data": True}
    async with http.get("/v2/user/profile") as response:
        assert response.status == 401
        assert await error_code(response) == "UDAPI100050"


async def test_an_unknown_path_is_answered_in_upstox_envelope(http: aiohttp.ClientSession) -> None:
    async with http.get("/v2/nothing") as response:
        assert response.status == 404
        assert await error_code(response) == "UDAPI100060"


async def test_the_official_sdk_logs_in_reads_the_profile_and_logs_out(
    base_url: str, http: aiohttp.ClientSession
) -> None:
    code = await new_code(http)
    login = await sdk_call(
        base_url,
        "",
        lambda client: upstox_client.LoginApi(client).token(
            "2.0", code=code, **FORM, _request_timeout=SDK_SECS
        ),
    )
    assert login.user_id == "SIM001"
    token = login.access_token
    profile = await sdk_call(
        base_url,
        token,
        lambda client: upstox_client.UserApi(client).get_profile("2.0", _request_timeout=SDK_SECS),
    )
    assert profile.status == "success"
    assert set(profile.data.to_dict()) == PROFILE_FIELDS
    assert profile.data.email == login.email
    logout = await sdk_call(
        base_url,
        token,
        lambda client: upstox_client.LoginApi(client).logout("2.0", _request_timeout=SDK_SECS),
    )
    assert logout.data is True
    assert await profile_status(http, token) == 401


async def test_the_dialog_call_of_the_official_sdk_lacks_the_response_type(base_url: str) -> None:
    """So a client must build the address itself."""
    with pytest.raises(ApiException) as error:
        await sdk_call(
            base_url,
            "",
            lambda client: upstox_client.LoginApi(client).authorize(
                CLIENT_ID, REDIRECT_URI, "2.0", _request_timeout=SDK_SECS
            ),
        )
    assert json.loads(error.value.body)["errors"][0]["propertyPath"] == "response_type"
