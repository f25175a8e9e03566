"""The trader's page in a browser: what tests do with it and read of it."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Literal

from playwright.async_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Route,
    async_playwright,
    expect,
)
from playwright.async_api import TimeoutError as NotFoundInTimeError

from embedded.page.build import MODULES
from tests.support import third_party
from tests.support.patience import PATIENCE_MS, PATIENCE_SECS

PASSWORD: Final = "a long sentence is best"
PRICE: Final = re.compile(r"^[\d,]+\.\d\d$")
_KEY: Final = re.compile(r"\bINE[A-Z0-9]{9}\b")
"""Shown in place of a name that is not read yet."""
_SEARCH_MS: Final = 2_000
_SERIOUS: Final = ("serious", "critical")
_THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
# Runs in each page before its own code.
_REPORT_VIOLATIONS: Final = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy violation: ${event.violatedDirective} ${event.sample}`));
"""

_PAPER: Final = "getComputedStyle(document.body).backgroundColor"


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=third_party.chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            yield browser
        finally:
            await browser.close()


async def cut_off(elements: Locator) -> list[str]:
    """The texts that are wider than their elements."""
    texts: list[str] = await elements.evaluate_all(
        "all => all.filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText)"
    )
    return texts


async def want_the_password(route: Route) -> None:
    """Answer a request as auth does if the password was given a quarter of an hour ago."""
    problem = {"status": 403, "code": "reauthentication_required", "detail": "log in again"}
    await route.fulfill(
        status=403, content_type="application/problem+json", body=json.dumps(problem)
    )


class TraderPage:
    """One tab. `faults` are exceptions of the page and violations of its policy."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.list = page.get_by_role("grid", name="Watchlist")
        self.search = page.get_by_role("combobox", name="Add an instrument")
        self.results = page.get_by_role("option")
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self._read(message.text))

    def _read(self, text: str) -> None:
        if "policy violation" in text or "Security Policy" in text or "Trusted" in text:
            self.faults.append(text)

    @classmethod
    async def open(cls, context: BrowserContext, address: str) -> "TraderPage":
        page = await context.new_page()
        await page.add_init_script(_REPORT_VIOLATIONS)
        opened = cls(page)
        await page.goto(address)
        return opened

    async def enter(self, button: str, email: str, password: str = PASSWORD) -> None:
        """Fill in the form, and press one of its buttons."""
        await self.page.get_by_label("E-mail").fill(email)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_role("button", name=button).click()

    async def sign_up(self) -> str:
        """Create an account with a new address, which is returned, and wait for the page.

        The pointer then rests in a corner, where it points at nothing.
        """
        email = f"{secrets.token_hex(6)}@example.com"
        await self.enter("Sign up", email)
        await expect(self.page.locator("#feed")).to_be_visible(timeout=PATIENCE_MS)
        await self.page.mouse.move(0, 0)
        return email

    def row(self, symbol: str) -> Locator:
        return self.list.get_by_role("row").filter(has_text=symbol).first

    def price(self, symbol: str) -> Locator:
        return self.row(symbol).locator("td.ltp")

    def rows(self, age: str) -> Locator:
        """The rows whose prices have this age: fresh, ageing, stale, closed or unknown."""
        return self.list.locator(f"tbody tr[data-age={age}]")

    async def symbols(self) -> list[str]:
        """The first word of each row, in order, once the page has read all names."""
        await expect(self.list.locator("tbody th", has_text=_KEY)).to_have_count(0)
        names = await self.list.locator("tbody th").all_inner_texts()
        return [name.split()[0] for name in names]

    async def wait_for_moving_price(self, symbol: str) -> None:
        await expect(self.price(symbol)).to_have_text(PRICE, timeout=PATIENCE_MS)
        first = await self.price(symbol).inner_text()
        await expect(self.price(symbol)).not_to_have_text(first, timeout=PATIENCE_MS)

    async def find(self, words: str) -> None:
        """Search until there is a result: the instruments master may not be loaded yet."""
        async with asyncio.timeout(PATIENCE_SECS):
            while not await self.results.first.is_visible():
                await self.search.fill("")
                await self.search.fill(words)
                try:
                    await self.results.first.wait_for(timeout=_SEARCH_MS)
                except NotFoundInTimeError:
                    continue

    async def cut_off_cells(self) -> list[str]:
        """The names, prices and times of the list that are wider than their cells."""
        return await cut_off(self.list.locator("tbody :is(th, td):not(.tools)"))

    async def serious_findings(self) -> list[str]:
        """What axe-core finds that is serious or worse."""
        await self.page.evaluate((MODULES / "axe-core" / "axe.min.js").read_text())
        found: dict[str, Any] = await self.page.evaluate("axe.run()")
        return [
            f"{one['id']}: {one['nodes'][0]['html']}"
            for one in found["violations"]
            if one["impact"] in _SERIOUS
        ]

    async def serious_findings_in_both_themes(self) -> list[str]:
        """What axe-core finds that is serious or worse while the system is light, and dark."""
        found: list[str] = []
        papers: set[str] = set()
        for theme in _THEMES:
            await self.page.emulate_media(color_scheme=theme)
            papers.add(await self.page.evaluate(_PAPER))
            found += [f"{theme}: {one}" for one in await self.serious_findings()]
        assert len(papers) == len(_THEMES), "the page has followed the system's theme"
        return found


class InstrumentTab:
    """The view of one instrument."""

    def __init__(self, page: Page) -> None:
        self.section = page.locator("#instrument")
        self.heading = self.section.get_by_role("heading", level=2)
        self.legend = self.section.locator("#legend")
        self.canvas = self.section.locator(".canvas")
        self.chosen_interval = self.section.locator(".intervals button[aria-pressed=true]")
        self.bids = self.section.locator("table.depth td.buy")
        self.trades = self.section.locator("table.tape tbody tr")
        self.bars = self.section.locator("table.bars tbody tr")

    async def wait_until_loaded(self) -> None:
        await expect(self.legend).not_to_be_empty(timeout=PATIENCE_MS)

    async def described(self) -> str:
        """What the chart says of itself: instrument, interval, and since when it has bars."""
        return await self.canvas.get_attribute("aria-label") or ""
