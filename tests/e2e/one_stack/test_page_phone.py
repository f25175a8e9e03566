"""The trader's page on a phone, which has fingers, no keyboard, and little room."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.support.patience import PATIENCE_MS
from tests.support.trader_page import InstrumentTab, TraderPage, cut_off
from tests.support.trading_page import TradingPage, sign_up_patiently

WIDTH = 390
LEAST_TARGET = 40


@pytest.fixture
async def phone(browser: Browser, address: str) -> AsyncIterator[TradingPage]:
    """The page of a new user on a phone."""
    context = await browser.new_context(
        viewport={"width": WIDTH, "height": 844}, has_touch=True, is_mobile=True
    )
    context.set_default_timeout(PATIENCE_MS)
    tab = await TraderPage.open(context, address)
    await sign_up_patiently(tab)
    await tab.wait_for_moving_price("RELIANCE")
    yield TradingPage(tab)
    assert tab.faults == []
    await context.close()


def place(phone: TradingPage, name: str) -> Locator:
    places = phone.tab.page.get_by_role("navigation", name="Places")
    return places.get_by_role("button", name=re.compile(rf"^{name}"))


async def buy(phone: TradingPage, order_type: str) -> None:
    """Buy a share of RELIANCE: at the market, or by an order that rests far below it."""
    await phone.tab.row("RELIANCE").get_by_role("button", name="Buy RELIANCE").tap()
    if order_type == "Market":
        await phone.choose("Market")
    else:
        await phone.field("price").fill("1200.00")
    await phone.ticket.get_by_role("button", name="Buy 1 on paper").tap()
    await expect(phone.ticket).to_have_count(0)


async def right_edges(elements: Locator) -> list[float]:
    edges: list[float] = await elements.evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().right)"
    )
    return edges


async def test_settings_and_account_are_shown_from_every_place(phone: TradingPage) -> None:
    page = phone.tab.page
    heading = page.locator("main h2")
    for name in ("Orders", "Positions", "Account", "Watchlist"):
        await place(phone, name).tap()
        await page.get_by_role("link", name="Settings").tap()
        await expect(heading).to_have_text("Settings")
        await expect(heading).to_be_visible()
        await page.locator("#who").tap()
        await expect(heading).to_have_text("Account")
        await expect(heading).to_be_visible()
        await expect(place(phone, name)).to_be_visible()
        await expect(page.locator("[aria-current=page]")).to_have_count(0)
    await place(phone, "Positions").tap()
    await expect(phone.dock).to_be_visible()
    await page.get_by_role("link", name="Settings").tap()
    await page.get_by_role("link", name="Back to the watchlist").tap()
    await expect(phone.tab.list).to_be_visible()


async def test_settings_fit_and_speak_of_no_button_for_keys(phone: TradingPage) -> None:
    page = phone.tab.page
    await expect(page.get_by_role("button", name="Keys", exact=True)).to_be_hidden()
    await page.get_by_role("link", name="Settings").tap()
    changes = page.get_by_role("button", name=re.compile("^Change"))
    await expect(changes.first).to_be_visible()
    assert max(await right_edges(changes)) <= WIDTH


async def test_orders_and_positions_tell_prices_and_the_bar_counts_open_orders(
    phone: TradingPage,
) -> None:
    await buy(phone, "Limit")
    await expect(place(phone, "Orders")).to_have_text("Orders 1")
    await buy(phone, "Market")
    await place(phone, "Orders").tap()
    await expect(phone.rows.first).to_contain_text("LIMIT 1,200.00")
    await expect(phone.rows.first.get_by_text("LIMIT 1,200.00")).to_be_visible()
    tabs = phone.dock.get_by_role("tab")
    await expect(tabs.first).to_have_text("Open orders 1")
    assert await cut_off(tabs) == []
    assert max(await right_edges(tabs)) <= WIDTH
    await phone.show("Positions")
    average = phone.rows.first.locator("[data-title=Average]")
    await expect(average).to_be_visible()
    await expect(average).to_have_text(re.compile(r"[\d,]+\.\d\d"))
    assert await cut_off(phone.panel.locator("td")) == []
    assert await phone.tab.serious_findings() == []


async def test_a_filled_order_is_told_on_the_list_and_back_leaves_the_orders(
    phone: TradingPage,
) -> None:
    page = phone.tab.page
    await buy(phone, "Market")
    await expect(page.locator("#news")).to_contain_text("Filled: BUY 1 RELIANCE")
    await expect(page.locator("#news")).to_be_in_viewport()
    await expect(phone.tab.row("RELIANCE")).to_be_visible()
    await phone.tab.row("RELIANCE").get_by_role("link").tap()
    await expect(page.get_by_role("region", name="Trading")).to_be_visible()
    await place(phone, "Orders").tap()
    await expect(page.get_by_role("tab", name="Open orders")).to_be_visible()
    await place(phone, "Positions").tap()
    await page.go_back()
    await expect(page.get_by_role("tab", name="Open orders")).to_be_hidden()
    await expect(page).to_have_url(re.compile("/i/"))
    await page.go_back()
    await expect(phone.tab.row("RELIANCE")).to_be_visible()


async def test_the_name_of_an_option_leaves_its_price_free(phone: TradingPage) -> None:
    await phone.tab.find("banknifty pe")
    await phone.tab.results.first.tap()
    row = phone.tab.list.locator("tbody tr").last
    name, price = row.locator("th"), row.locator(".ltp span")
    await expect(price).to_have_text(re.compile(r"\d"))
    (name_right,) = await right_edges(name)
    price_left = await price.evaluate("one => one.getBoundingClientRect().left")
    assert name_right <= price_left


async def test_fingers_hit_buy_and_sell_and_a_tap_on_the_name_opens_the_chart(
    phone: TradingPage,
) -> None:
    row = phone.tab.row("RELIANCE")
    buttons = [row.get_by_role("button", name=f"{side} RELIANCE") for side in ("Buy", "Sell")]
    for width in (820, WIDTH):  # a tablet has fingers too
        await phone.tab.page.set_viewport_size({"width": width, "height": 844})
        buy_box, sell_box = [await button.bounding_box() for button in buttons]
        assert buy_box is not None
        assert sell_box is not None
        for box in (buy_box, sell_box):
            assert box["width"] >= LEAST_TARGET
            assert box["height"] >= LEAST_TARGET
        assert sell_box["x"] - buy_box["x"] - buy_box["width"] >= 4
    await row.get_by_role("link", name="RELIANCE").tap()
    view = InstrumentTab(phone.tab.page)
    await view.wait_until_loaded()
    await view.section.get_by_role("button", name="Sell RELIANCE").tap()
    await expect(phone.ticket).to_contain_text("SELL RELIANCE")


async def test_a_notice_leaves_its_button_whole(phone: TradingPage) -> None:
    page = phone.tab.page
    await page.route("**/v1/instruments*", lambda route: route.abort())
    await page.reload()
    dismiss = page.get_by_role("button", name="Dismiss").first
    await expect(dismiss).to_be_visible()
    is_whole = await dismiss.evaluate(
        """button => {
          const text = document.createRange();
          text.selectNodeContents(button);
          return text.getBoundingClientRect().width + 16 <= button.offsetWidth;
        }"""
    )
    assert is_whole
