"""An HTTP client that behaves like a page in a browser towards auth."""

from typing import Any, Self

import aiohttp

from tests.support.gateway.endpoint import Gateway
from tests.support.http import Reply, read_reply


class CookieClient:
    """Keeps cookies also for plain HTTP on loopback, and sends the headers of a page's fetch."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._cookies: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def post(self, path: str, body: Any, *, origin: str | None = None) -> Reply:
        """A fetch by the gateway's own page, or by a page of another origin."""
        own = self._gateway.url
        headers = {
            "Origin": origin or own,
            "Sec-Fetch-Site": "same-origin" if origin in (None, own) else "cross-site",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
        }
        async with self._http.post(own + path, json=body, headers=headers) as response:
            for name, morsel in response.cookies.items():
                self._cookies[name] = morsel.value
            return await read_reply(response)
