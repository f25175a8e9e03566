"""Trading on the trader's page by keyboard alone, in front of a whole stack."""

import pytest
from playwright.async_api import BrowserContext, Locator, expect

from tests.support.keyboard_user import KeyboardUser
from tests.support.patience import PATIENCE_MS
from tests.support.trading_page import TradingPage

FAR_BELOW = "1200.00"


@pytest.fixture
async def user(context: BrowserContext, address: str) -> KeyboardUser:
    """A user whose watchlist has the focus, at RELIANCE."""
    user = await KeyboardUser.signed_up(context, address)
    trading = TradingPage(user.tab)
    await expect(trading.currency).to_have_text("Up to date", timeout=PATIENCE_MS)
    await user.tab.wait_for_moving_price("RELIANCE")
    await user.go_to_list()
    await user.press("Home", "ArrowDown", "ArrowDown")
    await expect(user.tab.row("RELIANCE")).to_have_attribute("aria-selected", "true")
    return user


async def place(user: KeyboardUser, side: str, quantity: str, *, resting: bool) -> None:
    """Place a paper order from the list: at the market, or one that rests far below it."""
    trading = TradingPage(user.tab)
    await user.go_to_list()
    await user.press(side)
    await expect(trading.field("lots")).to_be_focused()
    await user.type(quantity)
    if resting:
        await user.press("Tab")
        await expect(trading.field("price")).to_be_focused()
        await user.type(FAR_BELOW)
    else:
        await user.press("Shift+Tab", "Shift+Tab", "ArrowRight")
        await expect(trading.field("price")).to_have_count(0)
    await user.press("Enter")
    await expect(trading.ticket).to_have_count(0)
    await expect(user.tab.list).to_be_focused()


async def decline_and_confirm(user: KeyboardUser, button: Locator, answer: str) -> None:
    """Press a button that asks first: answer no by Escape and by its button, and then yes."""
    question = TradingPage(user.tab).question
    yes = question.get_by_role("button", name=answer, exact=True)
    for keys in (("Escape",), ("Tab", "Enter")):
        await user.choose(button, "Shift+Tab")
        await expect(yes).to_be_focused()
        await user.press(*keys)
        await expect(question).to_have_count(0)
        await expect(button).to_be_focused()
    await user.press("Enter")
    await expect(yes).to_be_focused()
    await user.press("Enter")
    await expect(question).to_have_count(0)


async def test_all_orders_are_cancelled_and_all_positions_exited_by_keyboard_alone(
    user: KeyboardUser,
) -> None:
    trading = TradingPage(user.tab)
    for quantity in ("1", "2"):
        await place(user, "b", quantity, resting=True)
    await place(user, "s", "7", resting=False)
    await trading.show_by_key("o", "Open orders")
    await expect(trading.rows).to_have_count(2)
    cancel = trading.panel.get_by_role("button", name="Cancel all open orders")
    await decline_and_confirm(user, cancel, "Cancel all")
    await expect(trading.panel).to_contain_text("No open orders")

    await trading.show_by_key("p", "Positions")
    await expect(trading.rows.first.locator("td").nth(2)).to_have_text("−7")
    leave = trading.panel.get_by_role("button", name="Exit all positions")
    await decline_and_confirm(user, leave, "Exit all")
    await expect(trading.rows.first.locator("td").nth(2)).to_have_text("0")
    await trading.show_by_key("p", "Positions")
    assert user.tab.faults == []


async def test_the_kill_switch_is_set_and_released_by_keyboard_alone(user: KeyboardUser) -> None:
    trading = TradingPage(user.tab)
    await user.press("f")
    await expect(trading.dock.get_by_role("tab", name="Account")).to_be_focused()
    stop = trading.panel.get_by_role("button", name="Stop new orders")
    await user.go_to(stop)
    await decline_and_confirm(user, stop, "Stop new orders")
    await expect(trading.dock).to_contain_text("New orders are stopped by your kill switch.")
    allow = trading.panel.get_by_role("button", name="Allow new orders")
    await expect(allow).to_be_focused()

    await user.go_to_list()
    await user.press("b")
    await expect(trading.field("lots")).to_be_focused()
    await expect(trading.ticket).to_contain_text("The order would be refused")
    await user.press("Escape")
    await expect(trading.ticket).to_have_count(0)
    await expect(user.tab.list).to_be_focused()

    await user.press("f")
    await user.go_to(allow)
    await decline_and_confirm(user, allow, "Allow new orders")
    await expect(stop).to_be_focused()
    await place(user, "b", "1", resting=True)
    await trading.show_by_key("o", "Open orders")
    assert user.tab.faults == []


async def test_an_upstox_account_is_linked_and_unlinked_by_keyboard_alone(
    context: BrowserContext, user: KeyboardUser
) -> None:
    trading = TradingPage(user.tab)
    page = user.tab.page
    await user.press("f")
    await user.choose(trading.panel.get_by_role("button", name="Link an Upstox account"))
    login = trading.panel.get_by_role("link", name="Log in at Upstox")
    await expect(login).to_be_visible()
    await user.go_to(login, "Shift+Tab")
    async with context.expect_page() as opening:
        await user.press("Enter")
    upstox = await opening.value
    allow = upstox.get_by_role("button", name="Allow")
    await expect(allow).to_be_visible()
    for _ in range(20):
        if await allow.evaluate("button => button === document.activeElement"):
            break
        await upstox.keyboard.press("Tab")
    await upstox.keyboard.press("Enter")
    text = await upstox.locator("code").inner_text()
    await upstox.close()
    await page.bring_to_front()
    await expect(login).to_be_focused()
    await user.press("Tab")
    await expect(trading.panel.get_by_label("The text that the page shows")).to_be_focused()
    await user.type(text)
    link = trading.panel.get_by_role("button", name="Link the account")
    await expect(link).to_be_enabled()
    await user.press("Tab")
    await expect(link).to_be_focused()
    await user.press("Enter")
    await expect(trading.panel).to_contain_text("Linked:")
    await user.choose(trading.panel.get_by_role("button", name="Unlink"))
    await expect(trading.panel).to_contain_text("No Upstox account is linked.")
    refresh = trading.panel.get_by_role("button", name="Refresh")
    await expect(refresh).to_be_enabled()
    await user.press("Tab")  # from where the button was
    await expect(refresh).to_be_focused()
    assert user.tab.faults == []
