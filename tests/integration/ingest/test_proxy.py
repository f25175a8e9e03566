"""Calls to Upstox use the proxy of the settings, and never one of the environment."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from pydantic import SecretStr

from embedded.ports import HOST
from services.ingest.feed.authorize import FeedAuthorizer
from services.ingest.feed.upstream import feed_session
from shared.errors import FeedError, FeedUnauthorised
from shared.runtime.settings import UpstoxSettings
from shared.runtime.site import serve

UPSTOX = "http://upstox.invalid"


@dataclass
class Proxy:
    """An HTTP proxy that answers every request itself."""

    url: str = ""
    targets: list[str] = field(default_factory=list)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.targets.append(str(request.url))
        return web.json_response({"status": "error"}, status=401)


@pytest.fixture
async def proxy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    proxy = Proxy()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", proxy.answer)
    async with serve(app, HOST, 0) as port:
        proxy.url = f"http://{HOST}:{port}"
        yield proxy


def settings(proxy_url: str) -> UpstoxSettings:
    return UpstoxSettings(api_url=UPSTOX, proxy_url=SecretStr(proxy_url), timeout_secs=5)


async def authorize(upstox: UpstoxSettings) -> None:
    authorizer = await asyncio.to_thread(FeedAuthorizer, upstox)
    await authorizer.feed_url("token")


async def test_the_authorize_call_and_the_feed_use_the_proxy_of_the_settings(proxy: Proxy) -> None:
    with pytest.raises(FeedUnauthorised):
        await authorize(settings(proxy.url))
    async with feed_session(settings(proxy.url).proxy) as session:
        async with session.get(f"{UPSTOX}/feed") as response:
            assert response.status == 401
    assert proxy.targets == [f"{UPSTOX}/v3/feed/market-data-feed/authorize", f"{UPSTOX}/feed"]


async def test_a_proxy_of_the_environment_is_not_used(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    with pytest.raises(FeedError) as raised:
        await authorize(settings(""))
    assert not isinstance(raised.value, FeedUnauthorised)
    assert proxy.targets == []
