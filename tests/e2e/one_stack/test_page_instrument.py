"""The page's view of an instrument in a browser, in front of a whole stack."""

import asyncio
import re
from typing import Final

import pytest
from playwright.async_api import Browser, BrowserContext, expect

from embedded.stack import Stack
from tests.support.patience import PATIENCE_MS, PATIENCE_SECS
from tests.support.tcp_proxy import cuttable_proxy
from tests.support.trader_page import InstrumentTab, TraderPage

RELIANCE: Final = "/i/NSE_EQ%7CINE002A01018"


async def test_an_instrument_is_opened_by_link_and_is_live(
    context: BrowserContext, address: str
) -> None:
    tab = await TraderPage.open(context, f"{address}{RELIANCE}?interval=1m")
    await tab.sign_up()
    view = InstrumentTab(tab.page)
    await expect(tab.page).to_have_title(re.compile("RELIANCE"))
    await expect(view.chosen_interval).to_have_text("1m")
    await expect(view.section).to_have_attribute("data-age", "fresh")
    await expect(view.legend).to_contain_text("provisional")
    first = await view.legend.inner_text()
    await expect(view.legend).not_to_have_text(first)
    await expect(view.bids.nth(4)).to_have_text(re.compile(r"\d"))
    await expect(view.trades.nth(1)).to_be_visible()
    await expect(view.section).to_contain_text("of the band")
    await tab.page.reload()
    await expect(view.chosen_interval).to_have_text("1m")
    await expect(view.legend).to_contain_text("provisional")
    assert tab.faults == []


async def test_an_instrument_is_used_by_keyboard_alone(
    context: BrowserContext, address: str
) -> None:
    tab = await TraderPage.open(context, address)
    await tab.sign_up()
    press = tab.page.keyboard.press
    view = InstrumentTab(tab.page)
    await tab.list.focus()
    await press("End")
    await press("Enter")
    await expect(view.section).to_be_focused()
    await expect(view.heading).to_contain_text("TCS")
    await press("6")
    await expect(view.chosen_interval).to_have_text("1d")
    await expect(tab.page).to_have_url(re.compile("interval=1d$"))
    await view.wait_until_loaded()
    newest = await view.legend.inner_text()
    await press("ArrowLeft")
    await press("ArrowLeft")
    await expect(view.legend).not_to_have_text(newest)
    await press("End")
    await press("t")
    await expect(view.bars.nth(20)).to_be_visible()
    assert await tab.serious_findings() == []
    await press("t")
    await expect(view.bars).to_have_count(0)

    await press("Escape")
    await expect(view.section).to_have_count(0)
    await expect(tab.list).to_be_focused()
    await tab.page.go_back()
    await expect(view.heading).to_contain_text("TCS")
    await expect(view.chosen_interval).to_have_text("1d")
    await tab.page.go_forward()
    await expect(view.section).to_have_count(0)
    async with context.expect_page() as opened:
        await tab.list.press("Alt+Enter")
    other = await opened.value
    await expect(InstrumentTab(other).heading).to_contain_text("TCS")
    assert tab.faults == []


async def test_scrolling_back_loads_earlier_bars(context: BrowserContext, address: str) -> None:
    tab = await TraderPage.open(context, f"{address}{RELIANCE}?interval=1d")
    await tab.sign_up()
    view = InstrumentTab(tab.page)
    await view.wait_until_loaded()
    newest_only = await view.described()
    async with asyncio.timeout(PATIENCE_SECS):
        while await view.described() == newest_only:
            await view.section.press("-")
    assert tab.faults == []


async def test_everything_is_grey_when_the_connection_is_cut_and_comes_back(
    context: BrowserContext, stack: Stack
) -> None:
    port = int(stack.plan.url("TRADEDAD_GATEWAY_PORT").rpartition(":")[2])
    async with cuttable_proxy(port) as proxy:
        tab = await TraderPage.open(context, f"http://{proxy.address}{RELIANCE}")
        await tab.sign_up()
        view = InstrumentTab(tab.page)
        await expect(view.legend).to_contain_text("provisional")
        async with proxy.cut():
            await expect(view.section).to_have_attribute("data-age", "stale")
            await expect(view.section).to_contain_text("stale since")
            await expect(view.legend).not_to_contain_text("provisional")
            await expect(view.canvas).to_have_css("filter", "grayscale(1)")
        await expect(view.section).to_have_attribute("data-age", "fresh")
        await expect(view.legend).to_contain_text("provisional")
        assert tab.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_phone_shows_the_instrument_alone_and_leads_back(
    browser: Browser, address: str, scheme: str
) -> None:
    context = await browser.new_context(
        viewport={"width": 390, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.set_default_timeout(PATIENCE_MS)
    tab = await TraderPage.open(context, address)
    await tab.sign_up()
    view = InstrumentTab(tab.page)
    await tab.row("RELIANCE").dblclick()
    await tab.page.mouse.move(0, 0)  # the legend shows the bar at the pointer
    await expect(view.legend).to_contain_text("provisional")
    await expect(tab.list).not_to_be_visible()
    assert await tab.serious_findings() == []
    width = await tab.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    await tab.page.get_by_role("button", name="← List").click()
    await expect(tab.list).to_be_visible()
    assert tab.faults == []
    await context.close()


async def test_an_unknown_instrument_says_so(context: BrowserContext, address: str) -> None:
    tab = await TraderPage.open(context, f"{address}/i/NSE_EQ%7CNOTHING")
    await tab.sign_up()
    view = InstrumentTab(tab.page)
    await expect(view.section.get_by_role("alert")).to_contain_text("No instrument")
    assert tab.faults == []


async def test_a_click_on_a_name_opens_the_chart_which_has_a_way_back_and_to_the_ticket(
    context: BrowserContext, address: str
) -> None:
    tab = await TraderPage.open(context, address)
    await tab.sign_up()
    await tab.wait_for_moving_price("RELIANCE")
    view = InstrumentTab(tab.page)
    row = tab.row("RELIANCE")
    await row.locator("td.ltp").click()
    await expect(row).to_have_attribute("aria-selected", "true")
    await expect(view.section).to_have_count(0)
    await row.get_by_role("link", name="RELIANCE").click()
    await view.wait_until_loaded()

    ticket = tab.page.locator("dialog.ticket")
    for key, words in (("b", "BUY RELIANCE"), ("s", "SELL RELIANCE")):
        interval = view.section.get_by_role("button", name="15m")
        await interval.click()
        await tab.page.keyboard.press(key)
        await expect(ticket).to_contain_text(words)
        await tab.page.keyboard.press("Escape")
        await expect(ticket).to_have_count(0)
    await view.section.get_by_role("button", name="Sell RELIANCE").click()
    await expect(ticket).to_contain_text("SELL RELIANCE")
    await tab.page.keyboard.press("Escape")

    await tab.page.get_by_role("link", name="Settings").click()
    settings = await tab.page.get_by_role("region", name="Settings").bounding_box()
    assert settings is not None
    assert settings["width"] > 1_000  # not the list's column beside a chart
    await tab.page.get_by_role("link", name="Back to the watchlist").click()
    await view.section.get_by_role("button", name="← List").click()
    await expect(view.section).to_have_count(0)
    await row.get_by_role("link", name="RELIANCE").click(modifiers=["Control"])
    await expect(view.section).to_have_count(0)  # the browser opens a tab
    assert tab.faults == []


async def test_an_index_has_no_buttons_of_a_ticket(context: BrowserContext, address: str) -> None:
    tab = await TraderPage.open(context, f"{address}/i/NSE_INDEX%7CNifty%2050")
    await tab.sign_up()
    view = InstrumentTab(tab.page)
    await view.wait_until_loaded()
    await expect(view.section.get_by_role("button", name="Buy")).to_have_count(0)
