"""Trading on the trader's page in a browser, in front of a whole stack."""

import asyncio
import re

import pytest
from playwright.async_api import Browser, BrowserContext, Route, expect

from tests.support.patience import PATIENCE_MS
from tests.support.tcp_proxy import cuttable_proxy
from tests.support.trader_page import TraderPage
from tests.support.trading_page import (
    LostAnswers,
    TradingPage,
    order_from_elsewhere,
    sign_up_patiently,
)


async def trading_page(context: BrowserContext, address: str) -> tuple[TradingPage, str]:
    """The page of a new user, ready to trade, and the user's address."""
    tab = await TraderPage.open(context, address)
    email = await sign_up_patiently(tab)
    trading = TradingPage(tab)
    await trading.ready()
    return trading, email


async def test_an_order_is_placed_changed_cancelled_and_exited_by_keyboard_alone(
    context: BrowserContext, address: str
) -> None:
    trading, _ = await trading_page(context, address)
    typed = trading.tab.page.keyboard.type

    # A purchase that is filled: tab to the type, and choose the market by an arrow.
    await trading.open_ticket("b")
    await expect(trading.ticket).to_contain_text("BUY RELIANCE")
    await expect(trading.ticket).to_contain_text("Paper")
    live = trading.ticket.locator("label.upstox")
    await expect(live).to_have_attribute("title", re.compile("No Upstox account is linked"))
    await typed("5")
    preview = trading.ticket.get_by_role("region", name="Preview")
    await expect(preview).to_contain_text("All checks are passed.")
    await expect(preview).to_contain_text("Margin")
    await trading.press("Shift+Tab", "Shift+Tab", "ArrowRight")
    await expect(trading.field("price")).to_have_count(0)
    await trading.press("Enter")
    await expect(trading.ticket).to_have_count(0)
    await expect(trading.news).to_contain_text(
        re.compile(r"Filled: BUY \d RELIANCE at [\d,]+\.\d\d")
    )
    await expect(trading.tab.list).to_be_focused()

    # One that rests: its price is refused beside the field, then corrected, changed and cancelled.
    await trading.open_ticket("b")
    await typed("3")
    await trading.press("Tab")
    await typed("1200.03")
    await expect(trading.ticket.locator("#ticket-price-problem")).to_contain_text("tick")
    await trading.press("ArrowUp")
    await trading.field("price").fill("1000.00")
    await expect(trading.ticket).to_contain_text("below the lower circuit limit")
    await trading.field("price").fill("1200.00")
    await expect(trading.ticket.locator("#ticket-price-problem")).to_be_empty()
    await trading.press("Enter")
    await expect(trading.ticket).to_have_count(0)
    await trading.show_by_key("o", "Open orders")
    await expect(trading.rows).to_have_count(1)
    await expect(trading.rows.first).to_contain_text("LIMIT 1,200.00 DAY")
    await trading.press("m")
    await expect(trading.ticket).to_contain_text("Change BUY RELIANCE")
    await expect(trading.field("lots")).to_be_focused()
    await typed("4")
    await expect(preview).to_contain_text("4,800.00")
    await expect(preview).to_contain_text("All checks are passed.")
    await trading.press("Enter")
    await expect(trading.ticket).to_have_count(0)
    await expect(trading.rows.first).to_contain_text("0 / 4")
    await expect(trading.grid("Open orders")).to_be_focused()
    await trading.press("Enter")
    await expect(trading.details).to_contain_text("Change sent")
    await trading.press("Escape")
    await expect(trading.details).to_have_count(0)
    await expect(trading.grid("Open orders")).to_be_focused()
    await trading.press("c")
    await expect(trading.panel).to_contain_text("No open orders")

    # The position is closed.
    await trading.show_by_key("p", "Positions")
    await expect(trading.rows.first.locator("td").nth(2)).to_have_text("5")
    await trading.press("x")
    await expect(trading.question).to_contain_text("Sell 5 RELIANCE by a market order")
    await expect(trading.question.get_by_role("button", name="Exit")).to_be_focused()
    await trading.press("Enter")
    await expect(trading.question).to_have_count(0)
    await expect(trading.rows.first.locator("td").nth(2)).to_have_text("0")
    await trading.show_by_key("y", "Orders")
    await expect(trading.rows).to_have_count(3)
    assert trading.tab.faults == []


async def test_all_orders_and_positions_are_ended_and_the_kill_switch_stops_new_ones(
    context: BrowserContext, address: str
) -> None:
    trading, _ = await trading_page(context, address)
    for quantity in ("1", "2"):
        await trading.place("b", quantity, resting=True)
    await trading.place("s", "7")
    await expect(trading.rows).to_have_count(2)
    await trading.panel.get_by_role("button", name="Cancel all open orders").click()
    await trading.confirm("Cancel all")
    await expect(trading.panel).to_contain_text("No open orders")
    await trading.show("Positions")
    await expect(trading.rows.first.locator("td").nth(2)).to_have_text("−7")
    await trading.panel.get_by_role("button", name="Exit all positions").click()
    await trading.confirm("Exit all")
    await expect(trading.rows.first.locator("td").nth(2)).to_have_text("0")
    await trading.show("Trades")
    await expect(trading.rows).not_to_have_count(0)

    await trading.show("Account")
    await trading.panel.get_by_role("button", name="Stop new orders").click()
    await trading.confirm("Stop new orders")
    await expect(trading.dock).to_contain_text("New orders are stopped by your kill switch.")
    await trading.open_ticket("b")
    await expect(trading.ticket).to_contain_text("The order would be refused")
    await trading.press("Enter")
    await expect(trading.ticket.get_by_role("alert")).to_contain_text("kill switch")
    await trading.press("Escape")
    await trading.panel.get_by_role("button", name="Allow new orders").click()
    await trading.confirm("Allow new orders")
    await trading.place("b", "1", resting=True)
    assert trading.tab.faults == []


async def test_a_lost_answer_is_not_known_yet_and_then_the_truth_is_shown(
    context: BrowserContext, address: str
) -> None:
    trading, _ = await trading_page(context, address)
    lost = LostAnswers()
    await trading.tab.page.route("**/v1/orders", lost.route)
    await trading.open_ticket("b")
    await trading.field("price").fill("1200.00")
    await trading.press("Enter")
    await expect(trading.ticket.get_by_role("alert")).to_contain_text("Not known yet")
    # The ticket can be closed: its order is still asked for.
    await trading.press("Escape")
    await expect(trading.dock).to_contain_text("BUY 1 RELIANCE: Not known yet")
    lost.mend()
    await expect(trading.dock).not_to_contain_text("Not known yet")
    await expect(trading.rows).to_have_count(1)
    await expect(trading.rows.first).to_contain_text("open")
    assert len(lost.keys) > 1
    assert len(set(lost.keys)) == 1
    await trading.place("b", "2", resting=True)
    assert len(set(lost.keys)) == 2
    await expect(trading.rows).to_have_count(2)
    assert trading.tab.faults == []


async def test_orders_that_were_missed_while_the_stream_was_cut_are_caught_up(
    context: BrowserContext, address: str
) -> None:
    port = int(address.rpartition(":")[2])
    async with cuttable_proxy(port) as proxy:
        trading, email = await trading_page(context, f"http://{proxy.address}")
        await trading.show("Positions")
        async with proxy.cut():
            await expect(trading.currency).to_contain_text("May be outdated")
            await expect(trading.panel).to_have_attribute("data-age", "behind")
            await order_from_elsewhere(address, email, 9)
        await expect(trading.currency).to_have_text("Up to date")
        await expect(trading.rows.first.locator("td").nth(2)).to_have_text("9")
        # Live again: the next one comes without a reconnect.
        await order_from_elsewhere(address, email, 4)
        await expect(trading.rows.first.locator("td").nth(2)).to_have_text("13")
        assert trading.tab.faults == []


async def test_an_upstox_account_is_linked_and_a_live_order_is_asked_for_once_more(
    context: BrowserContext, address: str
) -> None:
    trading, _ = await trading_page(context, address)
    await trading.link_upstox(context)
    await trading.show_live()
    await trading.open_ticket("b")
    await expect(trading.ticket).to_have_class(re.compile(r"\bupstox\b"))
    await expect(trading.ticket).to_contain_text("LIVE at Upstox")
    await trading.field("price").fill("1400.00")
    await trading.press("Enter")
    await expect(trading.ticket.get_by_role("alert")).to_contain_text("with real money")
    assert await trading.tab.serious_findings() == []
    send = trading.ticket.locator("button.send")
    await expect(send).to_have_attribute("aria-disabled", "false")
    await trading.press("Enter")
    await expect(trading.ticket).to_have_count(0)
    await trading.show("Orders")
    await expect(trading.rows).to_have_count(1)
    await trading.unlink_upstox()
    assert trading.tab.faults == []


async def test_a_phone_has_a_bottom_bar_and_the_ticket_as_a_sheet_without_serious_findings(
    browser: Browser, address: str
) -> None:
    for scheme in ("light", "dark"):
        context = await browser.new_context(
            viewport={"width": 390, "height": 844},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        context.set_default_timeout(PATIENCE_MS)
        trading, _ = await trading_page(context, address)
        page = trading.tab.page
        await expect(trading.panel).to_be_hidden()
        await trading.tab.row("RELIANCE").get_by_role("button", name="Buy RELIANCE").click()
        await expect(trading.ticket).to_contain_text("All checks are passed.")
        box = await trading.ticket.bounding_box()
        assert box is not None
        assert box["width"] == pytest.approx(390, abs=1)
        assert box["y"] + box["height"] == pytest.approx(844, abs=1)
        assert await trading.tab.serious_findings() == []
        await trading.choose("Market")
        await trading.ticket.get_by_role("button", name="Buy 1 on paper").click()
        await expect(trading.ticket).to_have_count(0)
        places = page.get_by_role("navigation", name="Places")
        for place in ("Orders", "Positions", "Account"):
            await places.get_by_role("button", name=place).click()
            await expect(trading.panel).to_be_visible()
            await expect(trading.tab.list).to_be_hidden()
            assert await trading.tab.serious_findings() == []
        await places.get_by_role("button", name="Positions").click()
        await trading.rows.first.get_by_role("button", name="Exit").click()
        assert await trading.tab.serious_findings() == []
        await trading.confirm("Exit")
        await places.get_by_role("button", name="Watchlist").click()
        await expect(trading.panel).to_be_hidden()
        assert trading.tab.faults == []
        await context.close()


async def test_nothing_is_said_of_orders_and_profit_before_they_are_read(
    context: BrowserContext, address: str
) -> None:
    tab = await TraderPage.open(context, address)
    is_answered = asyncio.Event()

    async def hold(route: Route) -> None:
        await is_answered.wait()
        await route.continue_()

    await tab.page.route("**/v1/orders?*", hold)
    await tab.sign_up()
    panel, profit = tab.page.get_by_role("tabpanel"), tab.page.locator("#day-profit")
    await expect(panel).to_have_text("Loading …")
    await expect(profit).to_have_text("–")
    is_answered.set()
    await expect(panel).to_contain_text("No open orders")
    await expect(profit).to_have_text("0.00")
    assert tab.faults == []
