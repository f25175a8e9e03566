"""The operator's page by keyboard alone, in front of a whole stack."""

from playwright.async_api import BrowserContext, expect

from embedded.stack import Stack
from tests.e2e.one_stack.test_page_account import grant_admin
from tests.support.keyboard_user import KeyboardUser


async def test_the_page_of_the_operator_is_opened_and_used_by_keyboard_alone(
    context: BrowserContext, address: str, stack: Stack
) -> None:
    user = await KeyboardUser.signed_up(context, address)
    page = user.tab.page
    await grant_admin(stack, user.email)
    await page.reload()  # the role is in the next access token
    await user.choose(page.get_by_role("link", name="Operator"))
    await expect(page.get_by_role("heading", name="Operator")).to_be_focused()

    search = page.get_by_label("Beginning of the e-mail")
    users = page.get_by_role("region", name="Users")
    await user.go_to(search)
    await user.type(user.email)
    await expect(users.locator("tbody tr")).to_have_count(1)
    await expect(users).to_contain_text("admin")
    await user.press("Tab")
    await expect(users).to_be_focused()
    await user.press("Tab")
    await expect(users.get_by_role("button", name=f"Disable {user.email}")).to_be_focused()
    await user.press("Tab")
    await expect(users.get_by_role("button", name=f"End sessions of {user.email}")).to_be_focused()

    await page.set_viewport_size({"width": 390, "height": 844})  # narrower than the audit log
    audit = page.get_by_role("region", name="Audit log")
    again = page.get_by_role("button", name="Read it again")
    await user.choose(again)
    await expect(audit.locator("tbody tr").first).to_be_visible()
    await expect(again).to_be_focused()
    await user.press("Tab")
    await expect(audit).to_be_focused()
    await expect(audit).to_have_js_property("scrollLeft", 0)
    await user.press("ArrowRight")
    await expect(audit).not_to_have_js_property("scrollLeft", 0)
    await user.press("Escape")
    await expect(user.tab.list).to_be_visible()
    assert user.tab.faults == []


async def test_the_operator_stops_and_allows_the_orders_of_all_by_keyboard_alone(
    context: BrowserContext, address: str, stack: Stack
) -> None:
    user = await KeyboardUser.signed_up(context, address)
    page = user.tab.page
    await grant_admin(stack, user.email)
    await page.reload()
    await user.choose(page.get_by_role("link", name="Operator"))
    reason = page.get_by_label("Reason, which users see")
    await expect(page.get_by_text("New orders are allowed.")).to_be_visible()
    stopped = page.get_by_text("New orders of all users are stopped.")
    allowed = page.get_by_text("New orders are allowed.")
    try:
        for button, state in (
            ("Stop new orders of all users", stopped),
            ("Allow new orders again", allowed),
        ):
            await user.go_to(reason, "Shift+Tab")
            await user.type("A drill")
            await user.press("Tab")
            await expect(page.get_by_role("button", name=button)).to_be_focused()
            await user.press("Enter")
            await expect(state).to_be_visible()
            await expect(page.get_by_role("button", name=button)).to_have_count(0)
    finally:
        if await stopped.is_visible():  # other tests place orders
            await reason.fill("The drill is over")
            await page.get_by_role("button", name="Allow new orders again").click()
            await expect(allowed).to_be_visible()
    assert user.tab.faults == []
