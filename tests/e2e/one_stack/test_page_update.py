"""The offer of a newer page, in a tab that was opened before an update."""

import json

from playwright.async_api import BrowserContext, Page, Route, expect

from tests.support.tcp_proxy import cuttable_proxy
from tests.support.trader_page import TraderPage

OFFER = "This page has a newer version."
MARK = "document.documentElement.dataset.isSameDocument"


async def answer_with_another_build(route: Route) -> None:
    await route.fulfill(content_type="application/json", body=json.dumps({"build": "another"}))


async def is_same_document(page: Page) -> bool:
    """Whether the page has not been loaded again since it was marked."""
    found: bool = await page.evaluate(f"{MARK} === 'true'")
    return found


async def test_a_newer_page_is_offered_after_a_reconnect_and_loaded_only_when_the_user_asks(
    context: BrowserContext, address: str
) -> None:
    async with cuttable_proxy(int(address.rpartition(":")[2])) as proxy:
        tab = await TraderPage.open(context, f"http://{proxy.address}")
        email = await tab.sign_up()
        await tab.page.route("**/build.json", answer_with_another_build)
        await tab.page.evaluate(f"{MARK} = 'true'")
        await tab.wait_for_moving_price("RELIANCE")
        await expect(tab.page.get_by_text(OFFER)).to_have_count(0)
        async with proxy.cut():
            await expect(tab.page.locator("#feed")).to_have_text("Not connected")
        await expect(tab.page.get_by_role("alert").filter(has_text=OFFER)).to_be_visible()

        # The tab stays as it is, and is of use.
        await tab.wait_for_moving_price("RELIANCE")
        await tab.page.get_by_role("button", name="Buy RELIANCE").click()
        await expect(tab.page.locator("dialog.ticket")).to_contain_text("All checks are passed.")
        await tab.page.keyboard.press("Escape")
        await expect(tab.page.get_by_text(OFFER)).to_be_visible()
        assert await is_same_document(tab.page)

        async with tab.page.expect_event("load"):
            await tab.page.get_by_role("button", name="Reload").click()
        assert not await is_same_document(tab.page)
        await expect(tab.page.locator("#who")).to_have_text(email)
        await tab.wait_for_moving_price("RELIANCE")
        await expect(tab.page.get_by_text(OFFER)).to_have_count(0)
        assert tab.faults == []


async def test_nothing_is_offered_after_a_reconnect_to_the_same_page(
    context: BrowserContext, address: str
) -> None:
    async with cuttable_proxy(int(address.rpartition(":")[2])) as proxy:
        tab = await TraderPage.open(context, f"http://{proxy.address}")
        await tab.sign_up()
        await tab.wait_for_moving_price("RELIANCE")
        async with tab.page.expect_response("**/build.json") as answer, proxy.cut():
            await expect(tab.page.locator("#feed")).to_have_text("Not connected")
        assert (await answer.value).ok
        await tab.wait_for_moving_price("RELIANCE")
        await expect(tab.page.get_by_text(OFFER)).to_have_count(0)
        assert tab.faults == []
