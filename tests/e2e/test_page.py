"""The page in a browser: sign up, find an instrument, see its price, log out."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from playwright.async_api import TimeoutError as NotFoundInTimeError

from embedded.stack import Stack
from tests.support import third_party
from tests.support.patience import PATIENCE_MS, PATIENCE_SECS

PASSWORD = "a long sentence is best"
SEARCH_MS = 2_000
PRICE = re.compile(r"^[\d,]+\.\d\d$")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=third_party.chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


async def enter(page: Page, button: str, email: str, password: str = PASSWORD) -> None:
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name=button).click()


async def find(page: Page, words: str) -> None:
    """Search until there is a result: the instruments master may not be loaded yet."""
    found = page.locator("#found button").first
    async with asyncio.timeout(PATIENCE_SECS):
        while not await found.is_visible():
            await page.get_by_label("Add an instrument").fill("")
            await page.get_by_label("Add an instrument").fill(words)
            try:
                await found.wait_for(timeout=SEARCH_MS)
            except NotFoundInTimeError:
                continue


async def test_a_user_signs_up_sees_live_prices_and_logs_out(
    stack: Stack, browser: Browser
) -> None:
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    blocked: list[str] = []
    page.on(
        "console",
        lambda message: blocked.append(message.text) if "Security Policy" in message.text else None,
    )
    await page.goto(stack.plan.url("TRADEDAD_GATEWAY_PORT"))
    email = f"{secrets.token_hex(6)}@example.com"
    await enter(page, "Sign up", email, "too short")
    await expect(page.get_by_role("alert")).to_contain_text("15", timeout=PATIENCE_MS)
    await enter(page, "Sign up", email)
    await expect(page.locator("#who")).to_have_text(email, timeout=PATIENCE_MS)
    await expect(page.locator("#feed")).to_have_text("feed live", timeout=PATIENCE_MS)

    await find(page, "infy")
    await page.locator("#found button").first.click()
    price = page.locator("#quotes tr", has_text="INFY").locator("td").nth(1)
    await expect(price).to_have_text(PRICE, timeout=PATIENCE_MS)
    first = await price.inner_text()
    await expect(price).not_to_have_text(first, timeout=PATIENCE_MS)

    cookies = {cookie["name"]: cookie for cookie in await context.cookies()}
    refresh = cookies["__Host-tradedad_refresh"]
    assert (refresh["httpOnly"], refresh["secure"], refresh["sameSite"]) == (True, True, "Strict")
    await page.reload()
    await expect(page.locator("#who")).to_have_text(email, timeout=PATIENCE_MS)
    await expect(price).to_have_text(PRICE, timeout=PATIENCE_MS)

    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_label("E-mail")).to_be_visible(timeout=PATIENCE_MS)
    await page.reload()
    await expect(page.get_by_label("E-mail")).to_be_visible(timeout=PATIENCE_MS)
    await enter(page, "Log in", email, "a wrong but long password")
    await expect(page.get_by_role("alert")).not_to_be_empty(timeout=PATIENCE_MS)
    assert blocked == []
    await context.close()
