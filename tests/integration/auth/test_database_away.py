"""Auth while its database is away, and after its return."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pymongo import uri_parser

from services.auth.settings import AuthSettings
from tests.support.auth_service import EMAIL, PASSWORD, Auth
from tests.support.settings import mongo_settings
from tests.support.tcp_proxy import CuttableProxy, cuttable_proxy
from tests.support.waiting import eventually


@pytest.fixture
async def to_mongo(mongo_url: str) -> AsyncIterator[CuttableProxy]:
    """A proxy in front of the shared mongod."""
    _, port = uri_parser.parse_uri(mongo_url)["nodelist"][0]
    async with cuttable_proxy(port) as proxy:
        yield proxy


@pytest.fixture
def settings(settings: AuthSettings, to_mongo: CuttableProxy) -> AuthSettings:
    url = f"mongodb://{to_mongo.address}/?directConnection=true"
    mongo = mongo_settings(url, settings.mongo.database, has_outages=True)
    return settings.model_copy(update={"mongo": mongo})


async def test_requests_are_unavailable_while_the_database_is_away_and_work_after_its_return(
    auth: Auth, to_mongo: CuttableProxy
) -> None:
    await auth.signup(EMAIL, PASSWORD)
    token = (await auth.login(EMAIL, PASSWORD)).body["access_token"]
    async with to_mongo.cut():
        replies = await asyncio.gather(
            auth.signup("bob@example.com", PASSWORD), auth.login(EMAIL, PASSWORD), auth.me(token)
        )
        for reply in replies:
            assert (reply.status, reply.body["code"]) == (503, "unavailable")
        assert not await auth.mongo.probe()
        ready = await auth.request("GET", "/readyz")
        assert (ready.status, list(ready.body["waiting_for"])) == (503, ["mongodb"])
        assert (await auth.request("GET", "/healthz")).status == 200
        assert (await auth.request("GET", "/.well-known/jwks.json")).status == 200
    await eventually(auth.mongo.probe, what="the database answers")
    assert (await auth.request("GET", "/readyz")).status == 200
    assert (await auth.login(EMAIL, PASSWORD)).status == 200
