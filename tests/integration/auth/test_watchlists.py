"""Watchlists of users, by requests to auth and through a gateway."""

import asyncio
from typing import Any

import pytest

from tests.support.auth_service import PASSWORD, Auth, bearer
from tests.support.gateway.in_process import running_gateway
from tests.support.http import Reply
from tests.support.servers import NatsServer

LISTS = "/v1/watchlists"
KEYS = ["NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50"]


class Owner:
    """A user, and requests about the user's lists."""

    def __init__(self, auth: Auth, token: str) -> None:
        self._auth = auth
        self._headers = bearer(token)

    async def save(self, list_id: str, revision: int, **more: Any) -> Reply:
        body = {"name": "Mine", "keys": KEYS, "revision": revision} | more
        return await self.request("PUT", f"/{list_id}", json=body)

    async def lists(self) -> list[dict[str, Any]]:
        lists: list[dict[str, Any]] = (await self.request("GET", "")).body["lists"]
        return lists

    async def request(self, method: str, path: str, **kwargs: Any) -> Reply:
        return await self._auth.request(method, LISTS + path, headers=self._headers, **kwargs)


@pytest.fixture
def owner(auth: Auth, ann: dict[str, Any]) -> Owner:
    return Owner(auth, ann["access_token"])


async def test_lists_are_created_changed_put_in_order_and_removed(owner: Owner) -> None:
    assert await owner.lists() == []
    first = await owner.save("main", 0)
    assert (first.status, first.body) == (
        200, {"list_id": "main", "name": "Mine", "keys": KEYS, "revision": 1},
    )  # fmt: skip
    assert (await owner.save("other", 0, name="Öl & Gas", keys=[])).status == 200
    assert (await owner.save("main", 1, keys=KEYS[::-1])).body["revision"] == 2
    ordered = await owner.request("PUT", "", json={"list_ids": ["other", "main"]})
    assert ordered.body["lists"] == await owner.lists()
    assert [one["list_id"] for one in await owner.lists()] == ["other", "main"]
    assert (await owner.lists())[1]["keys"] == KEYS[::-1]
    assert (await owner.request("DELETE", "/other?revision=1")).status == 204
    assert [one["list_id"] for one in await owner.lists()] == ["main"]


async def test_of_two_changes_of_one_revision_one_is_refused(owner: Owner) -> None:
    await owner.save("main", 0)
    replies = await asyncio.gather(
        *(owner.save("main", 1, name=f"Name {number}") for number in range(2))
    )
    assert sorted(reply.status for reply in replies) == [200, 409]
    refused = next(reply for reply in replies if reply.status == 409)
    assert refused.body["code"] == "stale_revision"
    (stored,) = await owner.lists()
    assert stored == next(reply for reply in replies if reply.status == 200).body
    late = await owner.request("DELETE", "/main?revision=1")
    assert (late.status, late.body["code"]) == (409, "stale_revision")


async def test_lists_created_at_the_same_moment_are_all_kept(owner: Owner) -> None:
    replies = await asyncio.gather(*(owner.save(f"list-{number}", 0) for number in range(3)))
    assert [reply.status for reply in replies] == [200] * 3
    assert len(await owner.lists()) == 3


async def test_lists_are_those_of_the_token_only(auth: Auth, owner: Owner) -> None:
    await owner.save("main", 0)
    await auth.signup("bob@example.com", PASSWORD)
    bob = Owner(auth, (await auth.login("bob@example.com", PASSWORD)).body["access_token"])
    assert await bob.lists() == []
    assert (await bob.save("main", 1)).status == 404
    assert (await bob.request("DELETE", "/main?revision=1")).status == 204
    assert len(await owner.lists()) == 1
    assert (await auth.get(LISTS)).status == 401


async def test_wrong_input_names_its_field(owner: Owner) -> None:
    for body, field in (({"keys": ["x"]}, "keys.0"), ({"name": ""}, "name"), ({"id": 1}, "id")):
        reply = await owner.save("main", 0, **body)
        assert (reply.status, reply.body["field"]) == (422, field)
    assert (await owner.save("not%20an%20id", 0)).body["field"] == "list_id"
    large = await owner.save("main", 0, keys=[f"A|{number:0120}" for number in range(200)])
    assert (large.status, large.body["code"]) == (413, "too_large")
    assert await owner.lists() == []


async def test_a_gateway_forwards_them_and_counts_them_for_the_user(
    nats: NatsServer, auth: Auth, ann: dict[str, Any]
) -> None:
    tokens = {"jwks_url": f"{auth.url}/.well-known/jwks.json"}
    async with running_gateway(
        nats, auth_url=auth.url, tokens=tokens, requests_burst=2, requests_per_sec=0.001
    ) as gateway:
        headers = bearer(ann["access_token"])
        body = {"name": "Mine", "keys": KEYS, "revision": 0}

        async def answer(method: str, path: str, **kwargs: Any) -> tuple[int, Any]:
            async with gateway.http.request(method, gateway.url + path, **kwargs) as response:
                return response.status, await response.json(content_type=None)

        assert (await answer("PUT", f"{LISTS}/main", json=body, headers=headers))[0] == 200
        status, lists = await answer("GET", LISTS, headers=headers)
        assert (status, lists["lists"][0]["keys"]) == (200, KEYS)
        status, problem = await answer("GET", LISTS, headers=headers)
        assert (status, problem["code"]) == (429, "rate_limited")
        assert (await answer("GET", LISTS))[0] == 401
