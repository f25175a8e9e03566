"""Watchlists, account, settings and the operator's page in a browser, in front of a whole stack."""

import asyncio
import os
import sys

from playwright.async_api import Browser, BrowserContext, expect

from embedded.daemons import ROOT
from embedded.stack import Stack
from tests.support.patience import PATIENCE_MS, PATIENCE_SECS
from tests.support.trader_page import PASSWORD, TraderPage
from tests.support.waiting import eventually

KEPT_LISTS = 'Object.keys(localStorage).find((key) => key.startsWith("tradedad.watchlists."))'


async def test_two_windows_edit_one_list_and_neither_loses_an_edit(
    context: BrowserContext, address: str
) -> None:
    one = await TraderPage.open(context, address)
    await one.sign_up()
    other = await TraderPage.open(context, address)
    for tab in (one, other):
        await expect(tab.list.locator("tbody tr")).to_have_count(6)
    before = await one.symbols()

    await one.list.press("End")
    await one.list.press("Delete")
    await expect(other.list.locator("tbody tr")).to_have_count(5)
    # Both at once: whoever is later makes the edit to the list of the other.
    await one.list.press("Home")
    await other.list.press("End")
    await one.list.press("Delete")
    await other.list.press("Delete")
    for tab in (one, other):
        await expect(tab.list.locator("tbody tr")).to_have_count(3)
        assert await tab.symbols() == before[1:4]
        assert tab.faults == []


async def test_lists_are_made_named_ordered_and_removed_by_keyboard(
    context: BrowserContext, address: str
) -> None:
    tab = await TraderPage.open(context, address)
    press = tab.page.keyboard.press
    await tab.sign_up()
    tabs = tab.page.get_by_role("tablist", name="Watchlists").get_by_role("tab")
    await tabs.first.focus()
    await press("Insert")
    await tab.page.keyboard.type("Banks")
    await press("Enter")
    await expect(tabs).to_have_text(["Watchlist", "Banks"])
    await expect(tabs.nth(1)).to_be_focused()
    await expect(tab.list.locator("tbody tr")).to_have_count(0)
    await press("/")
    await tab.find("sbin")
    await press("Enter")
    await expect(tab.list.locator("tbody tr")).to_have_count(1)
    await press("Escape")
    await press("1")
    await expect(tab.list.locator("tbody tr")).to_have_count(6)
    await press("]")
    await expect(tab.list.locator("tbody tr")).to_have_count(1)
    await tabs.nth(1).focus()
    await press("Alt+ArrowLeft")
    await press("F2")
    await expect(tabs).to_have_text(["Banks", "Watchlist"])
    await tab.page.keyboard.type("Lenders")
    await press("Enter")
    await expect(tabs.first).to_have_text("Lenders")
    await expect(tab.page.get_by_text("Storing …")).to_have_count(0)

    await tab.page.reload()
    await expect(tabs).to_have_text(["Lenders", "Watchlist"])
    await expect(tab.list.locator("tbody tr")).to_have_count(1)
    await tabs.first.focus()
    await press("Delete")
    await expect(tab.page.get_by_role("button", name="Keep")).to_be_focused()
    await press("Shift+Tab")
    await press("Enter")
    await expect(tabs).to_have_text(["Watchlist"])
    assert tab.faults == []


async def test_the_list_of_an_earlier_page_becomes_a_list_of_the_user(
    browser: Browser, context: BrowserContext, address: str
) -> None:
    tab = await TraderPage.open(context, address)
    email = await tab.sign_up()
    kept = await eventually(lambda: tab.page.evaluate(KEPT_LISTS), what="lists in the browser")
    user = kept.rpartition(".")[2]
    await tab.page.evaluate(
        "([name, keys]) => localStorage.setItem(name, keys)",
        [f"tradedad.watchlist.{user}", '["NSE_EQ|INE002A01018"]'],
    )
    await tab.page.reload()
    await expect(tab.list.locator("tbody tr")).to_have_count(1)
    elsewhere = await browser.new_context()
    elsewhere.set_default_timeout(PATIENCE_MS)
    second = await TraderPage.open(elsewhere, address)
    await second.enter("Log in", email)
    await expect(second.list.locator("tbody tr")).to_have_count(1)
    await elsewhere.close()


async def test_a_new_password_ends_the_other_sessions_whose_page_says_so(
    browser: Browser, context: BrowserContext, address: str
) -> None:
    tab = await TraderPage.open(context, address)
    email = await tab.sign_up()
    elsewhere = await browser.new_context()
    elsewhere.set_default_timeout(PATIENCE_MS)
    other = await TraderPage.open(elsewhere, address)
    await other.enter("Log in", email)
    await expect(other.list).to_be_visible()

    await tab.page.get_by_role("link", name=email).click()
    sessions = tab.page.get_by_role("region", name="Sessions").locator("tbody tr")
    await expect(sessions).to_have_count(2)
    await tab.page.get_by_label("Current password").fill("not the right password")
    await tab.page.get_by_label("New password").fill("another long sentence")
    await tab.page.get_by_role("button", name="Change the password").click()
    await expect(tab.page.locator(".panel [role=alert]")).not_to_be_empty()
    await tab.page.get_by_label("Current password").fill(PASSWORD)
    await tab.page.get_by_role("button", name="Change the password").click()
    await expect(tab.page.get_by_text("The password is changed")).to_be_visible()
    await expect(sessions).to_have_count(1)
    await expect(other.page.get_by_text("Your session has ended")).to_be_visible()
    await other.enter("Log in", email, "another long sentence")
    await expect(other.list).to_be_visible()

    await tab.page.reload()
    await expect(sessions).to_have_count(2)
    await tab.page.get_by_role("button", name="End all other sessions").click()
    await expect(sessions).to_have_count(1)
    await expect(other.page.get_by_text("Your session has ended")).to_be_visible()
    await tab.page.get_by_role("link", name="Back to the watchlist").click()
    await expect(tab.list).to_be_visible()
    for one in (tab, other):
        assert one.faults == []
    await elsewhere.close()


async def test_settings_change_colours_and_keys_of_this_browser(
    context: BrowserContext, address: str
) -> None:
    tab = await TraderPage.open(context, address)
    await tab.sign_up()
    await tab.page.get_by_role("link", name="Settings").click()
    root = tab.page.locator("html")
    for theme in ("Light", "Dark"):
        await tab.page.get_by_label(theme, exact=True).check()
        for colours in ("Green and red", "Blue and orange"):
            await tab.page.get_by_label(colours).check()
            assert await tab.serious_findings() == []
    await expect(root).to_have_attribute("data-colours", "blue_orange")
    await tab.page.get_by_role("button", name="the key of: remove the row").click()
    await tab.page.keyboard.press("ArrowUp")
    await expect(tab.page.get_by_text("ArrowUp is taken: row before.")).to_be_visible()
    await tab.page.get_by_role("button", name="the key of: remove the row").click()
    await tab.page.keyboard.press("x")
    await tab.page.get_by_text("Keys that are single characters").click()

    await tab.page.reload()
    await expect(root).to_have_attribute("data-theme", "dark")
    await tab.page.get_by_text("Keys that are single characters").click()
    await tab.page.get_by_role("link", name="Back to the watchlist").click()
    await tab.list.press("Home")
    await tab.list.press("Delete")
    await tab.list.press("x")
    await expect(tab.list.locator("tbody tr")).to_have_count(5)
    assert await tab.serious_findings() == []
    assert tab.faults == []


async def test_administrators_have_the_page_of_the_operator_and_users_have_not(
    context: BrowserContext, browser: Browser, address: str, stack: Stack
) -> None:
    tab = await TraderPage.open(context, address)
    email = await tab.sign_up()
    await expect(tab.page.get_by_role("link", name="Operator")).to_have_count(0)
    await tab.page.goto(f"{address}/#operator")
    await expect(tab.page.get_by_text("Only administrators")).to_be_visible()

    await grant_admin(stack, email)
    # The role is in the next access token.
    await tab.page.reload()
    users = tab.page.get_by_role("region", name="Users")
    await expect(users.get_by_role("row").filter(has_text=email)).to_contain_text("admin")
    await expect(tab.page.get_by_text("live since")).to_be_visible()
    await expect(tab.page.get_by_text("New orders are allowed")).to_be_visible()
    await expect(tab.page.get_by_role("heading", name="Bars")).to_be_visible()
    await expect(tab.page.get_by_text("open, ")).to_contain_text("given up")
    assert await tab.serious_findings() == []
    desk = tab.page.viewport_size
    assert desk is not None
    await tab.page.set_viewport_size({"width": 390, "height": 844})
    assert await tab.serious_findings() == []
    await tab.page.set_viewport_size(desk)

    elsewhere = await browser.new_context()
    elsewhere.set_default_timeout(PATIENCE_MS)
    other = await TraderPage.open(elsewhere, address)
    victim = await other.sign_up()
    await tab.page.get_by_label("Beginning of the e-mail").fill(victim[:8].upper())
    row = users.get_by_role("row").filter(has_text=victim)
    await row.get_by_role("button", name="Disable").click()
    await expect(other.page.get_by_text("Your session has ended")).to_be_visible()
    await expect(row).to_contain_text("disabled since")
    audit = tab.page.get_by_role("region", name="Audit log")
    await expect(audit.locator("tbody tr").first).to_contain_text("user disabled")
    await row.get_by_role("button", name="Enable").click()
    await expect(row).not_to_contain_text("disabled since")
    for one in (tab, other):
        assert one.faults == []
    await elsewhere.close()


async def grant_admin(stack: Stack, email: str) -> None:
    """Make an account an administrator, as an operator does."""
    command = [sys.executable, "-m", "operations", "admins", "grant", email]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=os.environ | stack.plan.environment
    )
    assert await asyncio.wait_for(process.wait(), PATIENCE_SECS) == 0
