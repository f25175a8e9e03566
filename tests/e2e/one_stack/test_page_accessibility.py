"""What axe-core finds in the views of a desktop, in both themes, in front of a whole stack."""

import re

from playwright.async_api import BrowserContext, expect

from embedded.stack import Stack
from tests.e2e.one_stack.test_page_account import grant_admin
from tests.support.trader_page import InstrumentTab, TraderPage, want_the_password
from tests.support.trading_page import TradingPage, sign_up_patiently

RELIANCE = "/i/NSE_EQ%7CINE002A01018"
TABLES = ("Open orders", "Orders", "Trades", "Positions")


async def test_the_page_of_the_operator_has_no_serious_problem_in_either_theme(
    context: BrowserContext, address: str, stack: Stack
) -> None:
    tab = await TraderPage.open(context, address)
    email = await tab.sign_up()
    await grant_admin(stack, email)
    await tab.page.goto(f"{address}/#operator")
    await tab.page.reload()
    for name in ("Users", "Audit log"):
        rows = tab.page.get_by_role("region", name=name).locator("tbody tr")
        await expect(rows.first).to_be_visible()
    await expect(tab.page.get_by_text("New orders are allowed")).to_be_visible()
    await expect(tab.page.get_by_role("heading", name="Bars")).to_be_visible()
    assert await tab.serious_findings_in_both_themes() == []
    assert tab.faults == []


async def test_an_instrument_has_no_serious_problem_in_either_theme(
    context: BrowserContext, address: str
) -> None:
    tab = await TraderPage.open(context, f"{address}{RELIANCE}")
    await tab.sign_up()
    view = InstrumentTab(tab.page)
    await expect(view.legend).to_contain_text("provisional")
    await expect(view.bids.nth(4)).to_have_text(re.compile(r"\d"))
    await expect(view.trades.nth(1)).to_be_visible()
    assert await tab.serious_findings_in_both_themes() == []
    await view.section.get_by_role("button", name="Table").click()
    await expect(view.bars.first).to_be_visible()
    assert await tab.serious_findings_in_both_themes() == []
    assert tab.faults == []


async def test_the_dock_with_rows_and_an_order_have_no_serious_problem_in_either_theme(
    context: BrowserContext, address: str
) -> None:
    tab = await TraderPage.open(context, address)
    await sign_up_patiently(tab)
    trading = TradingPage(tab)
    await trading.ready()
    await trading.place("b", "2", resting=True)
    await trading.place("s", "3")
    for table in TABLES:
        await trading.show(table)
        await expect(trading.rows.first).to_contain_text("RELIANCE")
        assert await tab.serious_findings_in_both_themes() == []
    await trading.show("Account")
    await expect(trading.panel).to_contain_text("No Upstox account is linked.")
    assert await tab.serious_findings_in_both_themes() == []
    await trading.show("Orders")
    await trading.rows.first.get_by_role("button", name="Events").click()
    await expect(trading.details.locator(".events li").first).to_be_visible()
    assert await tab.serious_findings_in_both_themes() == []
    assert tab.faults == []


async def test_a_live_ticket_and_its_question_have_no_serious_problem_in_either_theme(
    context: BrowserContext, address: str
) -> None:
    tab = await TraderPage.open(context, address)
    await sign_up_patiently(tab)
    trading = TradingPage(tab)
    await trading.ready()
    await trading.link_upstox(context)
    await trading.show_live()
    await trading.open_ticket("b")
    await trading.field("price").fill("1400.00")
    await expect(trading.ticket).to_contain_text("All checks are passed.")
    assert await tab.serious_findings_in_both_themes() == []
    await trading.press("Enter")
    await expect(trading.ticket.get_by_role("alert")).to_contain_text("with real money")
    assert await tab.serious_findings_in_both_themes() == []
    await trading.press("Escape")
    await expect(trading.ticket).to_have_count(0)
    await trading.unlink_upstox()
    assert tab.faults == []


async def test_the_question_for_the_password_has_no_serious_problem_in_either_theme(
    elsewhere: BrowserContext, context: BrowserContext, address: str
) -> None:
    tab = await TraderPage.open(context, address)
    email = await tab.sign_up()
    other = await TraderPage.open(elsewhere, address)
    await other.enter("Log in", email)
    await expect(other.list).to_be_visible()
    await tab.page.route("**/auth/sessions/*", want_the_password)
    await tab.page.goto(f"{address}/#account")
    await tab.page.get_by_role("button", name="End the session of").click()
    await expect(tab.page.get_by_role("dialog", name="Your password, please")).to_be_visible()
    assert await tab.serious_findings_in_both_themes() == []
    assert tab.faults == []
