"""Takes the pictures of the trader's page in ``docs/images``: ``make page-images``."""

import asyncio
import tempfile
from pathlib import Path
from typing import Final, Literal

from playwright.async_api import Browser, expect

from embedded.daemons import ROOT
from embedded.page.build import build
from embedded.plan import prepare
from embedded.stack import Stack
from tests.support.trader_page import InstrumentTab, TraderPage, running_browser
from tests.support.trading_page import TradingPage

FOLDER: Final = ROOT / "docs" / "images"
_START_SECS: Final = 120.0
_FIRST_TRADES: Final = 12
_EMAIL: Final = "trader@example.com"
_KEY: Final = "/i/NSE_EQ%7CINE002A01018"
Scheme = Literal["light", "dark"]
PICTURES: Final[dict[str, tuple[str, Scheme, tuple[int, int]]]] = {
    "list-light": ("/", "light", (1_240, 600)),
    "list-dark": ("/", "dark", (1_240, 600)),
    "orders-light": ("/", "light", (1_240, 660)),
    "instrument-dark": (f"{_KEY}?interval=1h", "dark", (1_240, 740)),
    "instrument-light": (f"{_KEY}?interval=1d", "light", (1_240, 740)),
    "instrument-phone": (f"{_KEY}?interval=1h", "dark", (390, 844)),
}


async def take(browser: Browser, address: str, name: str) -> None:
    """One picture, once the view has prices that move."""
    path, scheme, (width, height) = PICTURES[name]
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        has_touch=name.endswith("-phone"),
    )
    tab = await TraderPage.open(context, address + path)
    await tab.enter("Log in", _EMAIL)
    if path == "/":
        await expect(tab.rows("fresh")).to_have_count(6)
    else:
        view = InstrumentTab(tab.page)
        await view.wait_until_loaded()
        await expect(view.trades.nth(_FIRST_TRADES)).to_be_attached()
    trading = TradingPage(tab)
    if not name.endswith("-phone"):
        await expect(trading.currency).to_have_text("Up to date")
    if name.startswith("orders-"):
        await trading.show("Orders")
        await expect(trading.rows).to_have_count(2)
    await tab.page.mouse.move(0, 0)
    await expect(tab.page.locator(".head dd").first).not_to_have_text("–")
    await tab.page.screenshot(path=FOLDER / f"{name}.png")
    await context.close()


async def place_orders(browser: Browser, address: str) -> None:
    """Sign up, buy a few shares, and leave an order for more."""
    context = await browser.new_context(viewport={"width": 1_240, "height": 800})
    tab = await TraderPage.open(context, address)
    await tab.enter("Sign up", _EMAIL)
    trading = TradingPage(tab)
    await trading.ready()
    await trading.place("b", "25")
    await trading.place("b", "40", resting=True)
    await trading.show("Orders")
    await expect(trading.rows.filter(has_text="filled")).to_have_count(1)
    await context.close()


async def take_all(address: str) -> None:
    """All pictures, of one user with two orders, in one browser."""
    FOLDER.mkdir(exist_ok=True)
    async with running_browser() as browser:
        await place_orders(browser, address)
        for name in PICTURES:
            await take(browser, address, name)


def main() -> None:
    """Start a stack with a simulated Upstox, take the pictures, and stop it."""
    build()
    with tempfile.TemporaryDirectory() as folder:
        plan = prepare(data_dir=Path(folder) / "data", use_free_ports=True, always_simulated=True)
        with (Path(folder) / "log").open("wb") as log, Stack(plan, log) as stack:
            stack.wait_ready(_START_SECS)
            asyncio.run(take_all(plan.url("TRADEDAD_GATEWAY_PORT")))


if __name__ == "__main__":
    main()
