"""A browser, as far as auth can tell."""

from typing import Any, Self

import aiohttp

from tests.support.gateways import Gateway
from tests.support.rest import Answer, answer_of


class Browser:
    """Keeps cookies as a browser does on this machine, and says which page asks."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._cookies: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def post(self, path: str, body: Any, *, origin: str | None = None) -> Answer:
        """A page's fetch; of the gateway's own page unless `origin` is another."""
        own = self._gateway.url
        headers = {
            "Origin": origin or own,
            "Sec-Fetch-Site": "same-origin" if origin in (None, own) else "cross-site",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
        }
        url = own + path
        async with self._http.post(url, json=body, headers=headers) as response:
            for name, morsel in response.cookies.items():
                self._cookies[name] = morsel.value
            return await answer_of(response)
