"""Account and settings on the trader's page by keyboard alone, in front of a whole stack."""

import pytest
from playwright.async_api import BrowserContext, expect

from tests.support.keyboard_user import KeyboardUser
from tests.support.trader_page import PASSWORD, TraderPage, want_the_password

NEXT_PASSWORD = "another long sentence"


@pytest.fixture
async def user(context: BrowserContext, address: str) -> KeyboardUser:
    return await KeyboardUser.signed_up(context, address)


async def test_the_password_is_changed_and_a_session_ended_by_keyboard_alone(
    user: KeyboardUser, elsewhere: BrowserContext, address: str
) -> None:
    page = user.tab.page
    other = await TraderPage.open(elsewhere, address)
    await other.enter("Log in", user.email)
    await expect(other.list).to_be_visible()

    await user.choose(page.locator("#who"))
    await expect(page.get_by_role("heading", name="Account")).to_be_focused()
    await user.press("Tab")
    await expect(page.get_by_role("link", name="Back to the watchlist")).to_be_focused()
    await user.press("Tab")
    await expect(page.get_by_label("Current password")).to_be_focused()
    await user.type(PASSWORD)
    await user.press("Tab")
    await expect(page.get_by_label("New password")).to_be_focused()
    await user.type(NEXT_PASSWORD)
    await user.press("Tab")
    change = page.get_by_role("button", name="Change the password")
    await expect(change).to_be_focused()
    await user.press("Enter")
    await expect(page.get_by_text("The password is changed")).to_be_visible()
    await expect(other.page.get_by_text("Your session has ended")).to_be_visible()
    sessions = page.get_by_role("region", name="Sessions")
    await expect(change).to_be_focused()
    await user.press("Tab")
    await expect(sessions).to_be_focused()

    await other.enter("Log in", user.email, NEXT_PASSWORD)
    await expect(other.list).to_be_visible()
    await user.press("Escape")
    await expect(user.tab.list).to_be_focused()
    await user.choose(page.locator("#who"))
    await expect(sessions.locator("tbody tr")).to_have_count(2)
    await user.choose(sessions.get_by_role("button", name="End the session of"))
    await expect(page.get_by_text("is ended.")).to_be_visible()
    await expect(sessions.locator("tbody tr")).to_have_count(1)
    await expect(other.page.get_by_text("Your session has ended")).to_be_visible()
    await user.press("Tab")  # from where the button was
    await expect(page.get_by_role("button", name="End all other sessions")).to_be_focused()
    assert user.tab.faults == []
    assert other.faults == []


async def test_the_password_that_a_change_needs_is_asked_for_and_given_by_keyboard_alone(
    user: KeyboardUser, elsewhere: BrowserContext, address: str
) -> None:
    page = user.tab.page
    other = await TraderPage.open(elsewhere, address)
    await other.enter("Log in", user.email)
    await expect(other.list).to_be_visible()
    await user.choose(page.locator("#who"))
    await page.route("**/auth/sessions/*", want_the_password, times=2)
    end = page.get_by_role("button", name="End the session of")
    question = page.get_by_role("dialog", name="Your password, please")
    await user.choose(end)
    await expect(question.get_by_label("Password")).to_be_focused()
    await user.press("Escape")
    await expect(question).to_have_count(0)
    await expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    await expect(end).to_be_focused()

    await user.press("Enter")
    await expect(question.get_by_label("Password")).to_be_focused()
    await user.type(PASSWORD)
    await user.press("Enter")
    await expect(question).to_have_count(0)
    await expect(end).to_have_count(0)
    await expect(other.page.get_by_text("Your session has ended")).to_be_visible()
    await user.press("Tab")  # from where the button was
    await expect(page.get_by_role("button", name="End all other sessions")).to_be_focused()
    assert user.tab.faults == []


async def test_a_key_is_changed_and_put_back_and_the_user_logs_out_by_keyboard_alone(
    user: KeyboardUser,
) -> None:
    page, rows = user.tab.page, user.tab.list.locator("tbody tr")
    settings = page.get_by_role("link", name="Settings")
    change = page.get_by_role("button", name="the key of: remove the row")
    await expect(rows).to_have_count(6)
    for key, unused, left in (("x", "Delete", 5), ("Delete", "x", 4)):
        await user.choose(settings)
        await expect(page.get_by_role("heading", name="Settings")).to_be_focused()
        await user.choose(change)
        await user.press(key)
        await expect(page.get_by_text(f"{key}: remove the row.")).to_be_visible()
        await expect(change).to_be_focused()
        await user.press("Escape")
        await expect(user.tab.list).to_be_focused()
        await user.press("Home", unused, key)
        await expect(rows).to_have_count(left)

    await user.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    await user.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(user.tab.list).to_be_focused()
    await user.choose(page.get_by_role("button", name="Log out"), "Shift+Tab")
    await expect(page.get_by_text("You are logged out")).to_be_visible()
    await expect(page.get_by_label("E-mail")).to_be_focused()
    assert user.tab.faults == []
