"""Own orders and positions in the chart of the page, in front of a whole stack."""

import re
from decimal import Decimal

from playwright.async_api import BrowserContext, Page, expect

from tests.support.trader_page import InstrumentTab, TraderPage
from tests.support.trading_page import TradingPage, sign_up_patiently
from tests.support.waiting import eventually

# The chart is a drawing: its texts are read as it writes them.
KEEP_DRAWN_TEXTS = """
window.drawn = new Set();
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
  window.drawn.add(text);
  return write.call(this, text, ...rest);
};
"""


async def own_lines(page: Page) -> set[str]:
    """The names of lines of trading that the chart has drawn since this was asked last."""
    drawn: list[str] = await page.evaluate(
        "() => { const all = [...window.drawn]; window.drawn.clear(); return all; }"
    )
    return {text for text in drawn if text.startswith(("BUY", "SELL"))}


async def test_own_orders_and_positions_are_named_lines_in_the_chart(
    context: BrowserContext, address: str
) -> None:
    await context.add_init_script(KEEP_DRAWN_TEXTS)
    tab = await TraderPage.open(context, address)
    await sign_up_patiently(tab)
    trading = TradingPage(tab)
    await trading.ready()
    await trading.place("s", "7")
    price = Decimal((await tab.price("RELIANCE").inner_text()).replace(",", ""))
    await trading.open_ticket("b")
    await trading.field("lots").fill("3")
    await trading.field("price").fill(str((price * Decimal("0.97")).quantize(Decimal("1"))))
    await expect(trading.ticket).to_contain_text("All checks are passed.")
    await trading.press("Enter")
    await expect(trading.ticket).to_have_count(0)
    await trading.show("Positions")
    await expect(trading.rows.first.locator("td").nth(2)).to_have_text("−7")

    await tab.row("RELIANCE").get_by_role("link", name="RELIANCE").click()
    view = InstrumentTab(tab.page)
    await view.section.get_by_role("button", name="1d").click()
    await view.wait_until_loaded()

    async def are_both_drawn() -> bool:
        return await own_lines(tab.page) == {"SELL 7 position", "BUY 3 order"}

    async def is_position_alone() -> bool:
        return await own_lines(tab.page) == {"SELL 7 position"}

    await eventually(are_both_drawn, what="lines of the order and the position")
    chart = view.section.get_by_role("img")
    await expect(chart).to_have_accessible_name(re.compile(r"BUY 3 order at [\d.]+\."))
    await trading.show("Open orders")
    await trading.rows.first.get_by_role("button", name="Cancel").click()
    await expect(trading.panel).to_contain_text("No open orders")
    await eventually(is_position_alone, what="the line of the position alone")
    assert tab.faults == []
