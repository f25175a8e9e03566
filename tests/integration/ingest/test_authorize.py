"""Whatever Upstox answers to the authorize call, the feed's error is one of ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from services.ingest.feed.authorize import FeedAuthorizer
from shared.errors import FeedError, FeedUnauthorised
from shared.runtime.settings import UpstoxSettings
from shared.runtime.site import serve
from tests.support.patience import PATIENCE_SECS

ADDRESS = b'{"status":"success","data":{"authorizedRedirectUri":"ws://127.0.0.1:1/feed"}}'


@asynccontextmanager
async def upstox(body: bytes, status: int = 200) -> AsyncIterator[FeedAuthorizer]:
    """An authorize call that answers with this body."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with serve(app, "127.0.0.1", 0) as port:
        settings = UpstoxSettings(
            api_url=f"http://127.0.0.1:{port}", timeout_secs=int(PATIENCE_SECS)
        )
        yield await asyncio.to_thread(FeedAuthorizer, settings)


async def test_the_address_of_a_good_answer_is_returned() -> None:
    async with upstox(ADDRESS) as authorizer:
        assert await authorizer.feed_url("token") == "ws://127.0.0.1:1/feed"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"{}", b"5", b'"text"', b"<html>blocked</html>", b"\xff\xfe",
        b'{"data":null}', b'{"data":[]}', b'{"data":"x"}', b'{"data":{}}',
        b'{"data":{"authorizedRedirectUri":5}}', b'{"data":{"authorizedRedirectUri":null}}',
        b'{"data":{"authorizedRedirectUri":"http://127.0.0.1/"}}', b'{"data":{"authorized',
    ],
)  # fmt: skip
async def test_an_answer_that_has_no_address_is_a_feed_error(body: bytes) -> None:
    async with upstox(body) as authorizer:
        with pytest.raises(FeedError) as raised:
            await authorizer.feed_url("token")
        assert raised.value.cause == "authorize"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_is_told_apart_from_other_failures(status: int) -> None:
    async with upstox(b"<html>", status) as authorizer:
        with pytest.raises(FeedUnauthorised):
            await authorizer.feed_url("token")
