"""The page's promise: in a browser one signs up, finds an instrument, and watches its price."""

import re
import secrets
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from embedded.plan import prepare
from embedded.stack import Stack
from tests.support import stock

PASSWORD = "a long sentence is best"
PRICE = re.compile(r"^[\d,]+\.\d\d$")
_WAIT_MS = 15_000

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    plan = prepare(data_dir=folder / "data", use_free_ports=True, always_simulated=True)
    with (folder / "log").open("wb") as output, Stack(plan, output) as stack:
        stack.wait_ready(60)
        yield stack


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=stock.chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


async def enter(page: Page, button: str, email: str, password: str = PASSWORD) -> None:
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name=button).click()


async def test_from_signing_up_to_live_prices_and_out_again(stack: Stack, browser: Browser) -> None:
    context = await browser.new_context()
    context.set_default_timeout(_WAIT_MS)
    page = await context.new_page()
    blocked: list[str] = []
    page.on(
        "console",
        lambda message: blocked.append(message.text) if "Security Policy" in message.text else None,
    )
    await page.goto(stack.plan.url("TRADEDAD_GATEWAY_PORT"))
    email = f"{secrets.token_hex(6)}@example.com"
    await enter(page, "Sign up", email, "too short")
    await expect(page.get_by_role("alert")).to_contain_text("15", timeout=_WAIT_MS)
    await enter(page, "Sign up", email)
    await expect(page.locator("#who")).to_have_text(email, timeout=_WAIT_MS)
    await expect(page.locator("#feed")).to_have_text("feed live", timeout=_WAIT_MS)

    await page.get_by_label("Add an instrument").fill("infy")
    await page.locator("#found button").first.click()
    price = page.locator("#quotes tr", has_text="INFY").locator("td").nth(1)
    await expect(price).to_have_text(PRICE, timeout=_WAIT_MS)
    first = await price.inner_text()
    await expect(price).not_to_have_text(first, timeout=_WAIT_MS)

    cookies = {cookie["name"]: cookie for cookie in await context.cookies()}
    refresh = cookies["__Host-tradedad_refresh"]
    assert (refresh["httpOnly"], refresh["secure"], refresh["sameSite"]) == (True, True, "Strict")
    await page.reload()
    await expect(page.locator("#who")).to_have_text(email, timeout=_WAIT_MS)
    await expect(price).to_have_text(PRICE, timeout=_WAIT_MS)

    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_label("E-mail")).to_be_visible(timeout=_WAIT_MS)
    await page.reload()
    await expect(page.get_by_label("E-mail")).to_be_visible(timeout=_WAIT_MS)
    await enter(page, "Log in", email, "a wrong but long password")
    await expect(page.get_by_role("alert")).not_to_be_empty(timeout=_WAIT_MS)
    assert blocked == []
    await context.close()
