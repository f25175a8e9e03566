"""Trading on the trader's page in a browser: what tests do with it and read of it."""

import asyncio
import re
import secrets
from typing import Final

import aiohttp
from playwright.async_api import BrowserContext, Locator, Route, expect

from tests.support.patience import PATIENCE_MS, PATIENCE_SECS
from tests.support.trader_page import PASSWORD, TraderPage

RELIANCE: Final = "NSE_EQ|INE002A01018"
_FAR_BELOW: Final = "1200.00"


class TradingPage:
    """The dock, tickets and dialogs of one tab."""

    def __init__(self, tab: TraderPage) -> None:
        self.tab = tab
        page = tab.page
        self.dock = page.get_by_role("region", name="Trading")
        self.news = page.locator("#news")
        self.currency = page.locator("#currency")
        self.ticket = page.locator("dialog.ticket")
        self.question = page.locator("dialog.question")
        self.details = page.locator("dialog.details")
        self.panel = page.get_by_role("tabpanel")
        self.rows = self.panel.locator("tbody tr")

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.tab.page.keyboard.press(key)

    async def ready(self) -> None:
        """Wait until accounts were read, and RELIANCE has a price and is selected."""
        await expect(self.currency).to_have_text("Up to date", timeout=PATIENCE_MS)
        await self.tab.wait_for_moving_price("RELIANCE")
        await self.tab.list.focus()
        await self.press("Home", "ArrowDown", "ArrowDown")
        await expect(self.tab.row("RELIANCE")).to_have_attribute("aria-selected", "true")

    async def open_ticket(self, key: str) -> None:
        """`b` or `s` in the watchlist; the quantity is selected."""
        await self.tab.list.focus()
        await expect(self.tab.list).to_be_focused(timeout=PATIENCE_MS)
        await self.press(key)
        await expect(self.ticket).to_be_visible(timeout=PATIENCE_MS)
        await expect(self.field("lots")).to_be_focused()

    def field(self, name: str) -> Locator:
        return self.ticket.locator(f"input[name={name}]")

    async def choose(self, label: str) -> None:
        """Choose a product, type or validity by its name."""
        await self.ticket.get_by_role("radio", name=label, exact=True).check()

    async def place(self, side: str, quantity: str, *, resting: bool = False) -> None:
        """Place a paper order: at the market, or a purchase that rests far below it."""
        await self.open_ticket(side)
        await self.field("lots").fill(quantity)
        if resting:
            await self.field("price").fill(_FAR_BELOW)
        else:
            await self.choose("Market")
        await self.press("Enter")
        await expect(self.ticket).to_have_count(0, timeout=PATIENCE_MS)

    def grid(self, table: str) -> Locator:
        return self.panel.get_by_role("grid", name=table)

    async def show_by_key(self, key: str, table: str) -> None:
        """A key shows a tab, and moves the focus to its table."""
        await self.press(key)
        await expect(self.grid(table)).to_be_focused()

    async def show(self, tab: str) -> None:
        await self.dock.get_by_role("tab", name=re.compile(rf"^{tab}( \d+)?$")).click()

    async def confirm(self, button: str) -> None:
        await self.question.get_by_role("button", name=button, exact=True).click()
        await expect(self.question).to_have_count(0, timeout=PATIENCE_MS)

    async def link_upstox(self, context: BrowserContext) -> None:
        """Log in at the simulated Upstox, and give its text to the page, as a user does."""
        await self.show("Account")
        await self.panel.get_by_role("button", name="Link an Upstox account").click()
        async with context.expect_page() as opening:
            await self.panel.get_by_role("link", name="Log in at Upstox").click()
        upstox = await opening.value
        await upstox.get_by_role("button", name="Allow").click()
        text = await upstox.locator("code").inner_text()
        await upstox.close()
        await self.tab.page.bring_to_front()
        await self.panel.get_by_label("The text that the page shows").fill(text)
        await self.panel.get_by_role("button", name="Link the account").click()
        await expect(self.panel).to_contain_text("Linked:")

    async def unlink_upstox(self) -> None:
        """End the link: the account at the simulated Upstox can have one user only."""
        await self.show("Account")
        await self.panel.get_by_role("button", name="Unlink").click()
        await expect(self.panel).to_contain_text("No Upstox account is linked.")

    async def show_live(self) -> None:
        """Choose the linked account."""
        await self.dock.get_by_role("radio", name="LIVE at Upstox").check()
        # The account is read once more after the link was made; then nothing takes the focus.
        await expect(self.panel.get_by_role("button", name="Unlink")).to_be_enabled()


async def sign_up_patiently(tab: TraderPage) -> str:
    """Create an account and return its address; a busy machine may need another attempt."""
    lost = tab.page.get_by_role("alert").filter(has_text="There is no connection")
    async with asyncio.timeout(PATIENCE_SECS):
        while True:
            email = f"{secrets.token_hex(6)}@example.com"
            await tab.enter("Sign up", email)
            await expect(tab.list.or_(lost).first).to_be_visible()
            if await tab.list.is_visible():
                return email


class LostAnswers:
    """Lets requests reach the server and loses their answers, until it is mended."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self._is_mended = False

    async def route(self, route: Route) -> None:
        if route.request.method != "POST":
            await route.continue_()
            return
        self.keys.append(route.request.headers["idempotency-key"])
        if self._is_mended:
            await route.continue_()
            return
        await route.fetch()
        await route.abort()

    def mend(self) -> None:
        self._is_mended = True


async def order_from_elsewhere(address: str, email: str, quantity: int) -> None:
    """The user's other program places a paper order at the market."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECS)
    async with aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as http:
        credentials = {"email": email, "password": PASSWORD}
        async with http.post(f"{address}/auth/login", json=credentials) as response:
            token = (await response.json())["access_token"]
        order = {
            "account": "paper", "key": RELIANCE, "side": "BUY", "product": "I",
            "quantity": quantity, "order_type": "MARKET",
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"elsewhere-{quantity}"}
        async with http.post(f"{address}/v1/orders", json=order, headers=headers) as response:
            await response.read()
