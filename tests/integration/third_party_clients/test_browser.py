"""A page in a browser can use the stream as docs/stream.md describes it; other origins cannot."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright

from shared.runtime.site import serve
from tests.support import third_party
from tests.support.builders import KEY, fresh_quote
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

# The code of a page; the test reads `received` and `ended`.
WATCH = """
([url, token, keys]) => {
  window.received = [];
  const socket = new WebSocket(url);
  const send = (message) => socket.send(JSON.stringify(message));
  socket.onopen = () => {
    send({op: "auth", token});
    send({op: "subscribe", id: 1, channel: "quotes", keys, interval_ms: 100});
  };
  socket.onmessage = (event) => window.received.push(JSON.parse(event.data));
  socket.onclose = (event) => { window.ended = {code: event.code, reason: event.reason}; };
}
"""
OFFLINE = ("--disable-background-networking", "--disable-component-update", "--disable-sync")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A headless browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=third_party.chromium(), args=["--no-sandbox", "--disable-gpu", *OFFLINE]
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def another_site() -> AsyncIterator[str]:
    """A blank page of another origin."""

    async def blank(_: web.Request) -> web.Response:
        return web.Response(text="<title>Blank</title>", content_type="text/html")

    site = web.Application()
    site.add_routes([web.get("/", blank)])
    async with serve(site, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


async def watch(page: Page, gateway: InProcessGateway, *keys: str) -> None:
    url = f"ws{gateway.url.removeprefix('http')}/ws"
    await page.evaluate(WATCH, [url, gateway.issuer.token(), list(keys)])


async def value(page: Page, expression: str) -> Any:
    """The value of an expression, once it is not empty."""
    # Playwright's own waits evaluate text in the page, which its content security policy forbids.
    return await eventually(lambda: page.evaluate(expression), what=expression)


def last_price(price: float, *, snapshot: bool) -> str:
    """Whether the page has received a price."""
    return f"""window.received.find((message) => message.type === "quotes" && !!message.snapshot === {str(snapshot).lower()}
        && message.data.some((quote) => quote.ltp === {price}))"""


async def test_the_gateways_own_page_gets_quotes_and_the_reason_of_its_close(
    nats: NatsServer, browser: Browser, revoke: Callable[[], Awaitable[None]]
) -> None:
    async with running_gateway(nats) as gateway:
        await gateway.publish(fresh_quote(seq=1, ltp=1.5))
        page = await browser.new_page()
        await page.goto(gateway.url)
        await watch(page, gateway, KEY)
        first = await value(page, "window.received[0]")
        assert (first["type"], first["user_id"]) == ("authenticated", "user-1")
        assert (await value(page, "window.received[1]"))["results"] == {KEY: "live"}
        await value(page, last_price(1.5, snapshot=True))
        await gateway.publish(fresh_quote(seq=2, ltp=2.5))
        await value(page, last_price(2.5, snapshot=True))
        await revoke()
        closed = await value(page, "window.ended")
        assert closed == {"code": 4403, "reason": "the session was ended"}
        assert (await page.evaluate("window.received.at(-1)"))["code"] == "revoked"


async def test_a_page_of_another_origin_is_refused_unless_allowed(
    nats: NatsServer, browser: Browser
) -> None:
    async with another_site() as origin, running_gateway(nats) as gateway:
        page = await browser.new_page()
        await page.goto(origin)
        await watch(page, gateway, KEY)
        assert (await value(page, "window.ended"))["code"] == 1006
        assert await page.evaluate("window.received") == []
        await gateway.stop()
        await gateway.start(allowed_origins=frozenset({origin}))
        await watch(page, gateway, KEY)
        assert (await value(page, "window.received[0]"))["type"] == "authenticated"
