"""A user of the trader's page who has a keyboard and no mouse."""

import secrets
from typing import Final

from playwright.async_api import BrowserContext, Locator, expect

from tests.support.patience import PATIENCE_MS
from tests.support.trader_page import PASSWORD, TraderPage

_MOST_STEPS: Final = 200
"""More than any view has places that Tab stops at."""


class KeyboardUser:
    """Uses a tab by keys alone. No element gets the focus but by a key."""

    def __init__(self, tab: TraderPage, email: str) -> None:
        self.tab = tab
        self.email = email

    @classmethod
    async def signed_up(cls, context: BrowserContext, address: str) -> "KeyboardUser":
        tab = await TraderPage.open(context, address)
        user = cls(tab, f"{secrets.token_hex(6)}@example.com")
        await expect(tab.page.get_by_label("E-mail")).to_be_focused()
        await user.fill_in(user.email, PASSWORD)
        await user.press("Tab", "Tab", "Enter")
        await expect(tab.list).to_be_visible(timeout=PATIENCE_MS)
        return user

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.tab.page.keyboard.press(key)

    async def type(self, text: str) -> None:
        await self.tab.page.keyboard.type(text)

    async def fill_in(self, *texts: str) -> None:
        """Type each text into a field, from the one that has the focus on."""
        for number, text in enumerate(texts):
            if number > 0:
                await self.press("Tab")
            await self.type(text)

    async def go_to(self, target: Locator, key: str = "Tab") -> None:
        """Press a key until the element has the focus."""
        await expect(target).to_be_enabled()
        for _ in range(_MOST_STEPS):
            if await target.evaluate("element => element === document.activeElement"):
                return
            await self.press(key)
        raise AssertionError(f"{key} does not reach {target}")

    async def choose(self, target: Locator, key: str = "Tab") -> None:
        """Go to a button or a link, and press Enter."""
        await self.go_to(target, key)
        await self.press("Enter")

    async def go_to_list(self) -> None:
        """The key of the search, and the key back to the list."""
        await self.press("/", "Escape")
        await expect(self.tab.list).to_be_focused()
