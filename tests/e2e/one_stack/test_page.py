"""The trader's page in a browser, in front of a whole stack."""

import re
import secrets
from typing import Final

import pytest
from playwright.async_api import Browser, BrowserContext, expect

from embedded.stack import Stack
from tests.support.patience import PATIENCE_MS
from tests.support.tcp_proxy import cuttable_proxy
from tests.support.trader_page import PASSWORD, TraderPage

RELIANCE: Final = "/i/NSE_EQ%7CINE002A01018"
SIZES = {"desk": (1_600, 900), "phone": (390, 844)}


async def test_a_user_signs_up_sees_live_prices_and_logs_out(
    context: BrowserContext, address: str
) -> None:
    tab = await TraderPage.open(context, address)
    email = f"{secrets.token_hex(6)}@example.com"
    await tab.enter("Sign up", email, "too short")
    await expect(tab.page.get_by_role("alert")).to_contain_text("15", timeout=PATIENCE_MS)
    await tab.enter("Sign up", email)
    await expect(tab.page.locator("#who")).to_have_text(email, timeout=PATIENCE_MS)
    await expect(tab.page.locator("#feed")).to_have_text("Feed live (simulated)")
    await tab.wait_for_moving_price("RELIANCE")
    await expect(tab.rows("fresh")).to_have_count(6)

    cookies = {cookie.get("name"): cookie for cookie in await context.cookies()}
    refresh = cookies["__Host-tradedad_refresh"]
    flags = (refresh.get("httpOnly"), refresh.get("secure"), refresh.get("sameSite"))
    assert flags == (True, True, "Strict")
    await tab.page.reload()
    await expect(tab.page.locator("#who")).to_have_text(email)
    await tab.wait_for_moving_price("RELIANCE")

    await tab.page.get_by_role("button", name="Log out").click()
    await expect(tab.page.get_by_text("You are logged out")).to_be_visible()
    await tab.page.reload()
    await tab.enter("Log in", email, "a wrong but long password")
    await expect(tab.page.get_by_role("alert")).not_to_be_empty()
    await tab.enter("Log in", email, PASSWORD)
    await tab.wait_for_moving_price("RELIANCE")
    assert tab.faults == []


async def test_all_prices_are_stale_at_once_when_the_connection_is_cut_and_come_back(
    context: BrowserContext, stack: Stack
) -> None:
    port = int(stack.plan.url("TRADEDAD_GATEWAY_PORT").rpartition(":")[2])
    async with cuttable_proxy(port) as proxy:
        tab = await TraderPage.open(context, f"http://{proxy.address}")
        await tab.sign_up()
        await expect(tab.rows("fresh")).to_have_count(6)
        held = await tab.price("RELIANCE").inner_text()
        async with proxy.cut():
            await expect(tab.rows("stale")).to_have_count(6)
            await expect(tab.page.locator("#feed")).to_have_text("Not connected")
            await expect(tab.row("RELIANCE")).to_contain_text("stale since")
            assert len(await tab.price("RELIANCE").inner_text()) >= len(held) - 1
        await tab.wait_for_moving_price("RELIANCE")
        await expect(tab.row("RELIANCE")).to_have_attribute("data-age", "fresh")
        await expect(tab.page.get_by_text("1 reconnect", exact=True)).to_be_visible()
        assert tab.faults == []


async def test_everything_is_done_by_keyboard_alone(context: BrowserContext, address: str) -> None:
    tab = await TraderPage.open(context, address)
    press = tab.page.keyboard.press
    await expect(tab.page.get_by_label("E-mail")).to_be_focused()
    await tab.page.keyboard.type(f"{secrets.token_hex(6)}@example.com")
    await press("Tab")
    await tab.page.keyboard.type(PASSWORD)
    await press("Tab")
    await press("Tab")
    await press("Enter")
    await expect(tab.list).to_be_visible()

    await press("/")
    await expect(tab.search).to_be_focused()
    await tab.find("sbin")
    await press("Enter")
    await press("Escape")
    await expect(tab.list).to_be_focused()
    await expect(tab.list.locator("tbody tr")).to_have_count(7)
    before = await tab.symbols()
    added = before[-1]
    await press("Alt+ArrowUp")
    await expect(tab.list.locator("tbody tr").nth(-2)).to_contain_text(added)
    await press("Home")
    await press("Delete")
    await expect(tab.list.locator("tbody tr")).to_have_count(6)
    assert await tab.symbols() == [*before[1:5], added, before[5]]
    await tab.page.get_by_role("button", name=f"Put {before[0]} back").press("Enter")
    await expect(tab.list).to_be_focused()
    await expect(tab.list.locator("tbody tr")).to_have_count(7)
    assert (await tab.symbols())[0] == before[0]
    await press("Delete")
    await expect(tab.list.locator("tbody tr")).to_have_count(6)
    await press("ArrowDown")
    selected = tab.list.locator("tr[aria-selected=true] th")
    await expect(selected).to_contain_text(before[2])
    await expect(tab.list).to_have_attribute(
        "aria-activedescendant", await selected.locator("..").get_attribute("id") or ""
    )

    await press("?")
    await expect(tab.page.get_by_role("dialog", name="Keys")).to_be_visible()
    await press("Escape")
    await expect(tab.page.get_by_role("dialog")).to_have_count(0)
    await expect(tab.page.get_by_text("Storing …")).to_have_count(0)
    await tab.page.reload()
    await expect(tab.list.locator("tbody tr")).to_have_count(6)
    assert (await tab.symbols())[-2] == added
    assert tab.faults == []


async def test_a_row_out_of_view_follows_its_price_and_flashes_only_in_view(
    context: BrowserContext, address: str
) -> None:
    tab = await TraderPage.open(context, address)
    await tab.page.set_viewport_size({"width": 1_500, "height": 420})
    await tab.sign_up()
    last = (await tab.symbols())[-1]
    price = tab.row(last).locator(".ltp span")
    await expect(price).not_to_be_in_viewport()
    await tab.wait_for_moving_price(last)
    await tab.wait_for_moving_price(last)
    await expect(price).not_to_have_class(re.compile("flash"))
    await price.scroll_into_view_if_needed()
    await expect(price).to_have_class(re.compile("flash"))
    assert tab.faults == []


async def test_two_tabs_share_a_session_and_log_out_together(
    context: BrowserContext, address: str
) -> None:
    one = await TraderPage.open(context, address)
    await one.sign_up()
    other = await TraderPage.open(context, address)
    await other.wait_for_moving_price("RELIANCE")
    await one.wait_for_moving_price("RELIANCE")
    await one.page.get_by_role("button", name="Log out").click()
    for tab in (one, other):
        await expect(tab.page.get_by_text("You are logged out")).to_be_visible()
        assert tab.faults == []


@pytest.mark.parametrize("size", SIZES)
async def test_no_view_has_a_serious_accessibility_problem_in_either_theme(
    browser: Browser, address: str, size: str
) -> None:
    width, height = SIZES[size]
    for scheme in ("light", "dark"):
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        context.set_default_timeout(PATIENCE_MS)
        tab = await TraderPage.open(context, address)
        assert await tab.serious_findings() == []
        await tab.sign_up()
        await tab.wait_for_moving_price("RELIANCE")
        assert await tab.cut_off_cells() == []
        await tab.list.press("ArrowDown")
        assert await tab.serious_findings() == []
        await tab.find("infy")
        assert await tab.serious_findings() == []
        await tab.page.get_by_role("button", name="Keys").click()
        assert await tab.serious_findings() == []
        for view in ("account", "settings"):
            await tab.page.goto(f"{address}/#{view}")
            await expect(tab.page.locator("main h2")).to_be_visible()
            assert await tab.serious_findings() == []
        assert tab.faults == []
        await context.close()


@pytest.mark.parametrize("size", SIZES)
async def test_options_are_told_apart_and_no_number_is_cut_off(
    browser: Browser, address: str, size: str
) -> None:
    width, height = SIZES[size]
    context = await browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(PATIENCE_MS)
    port = int(address.rpartition(":")[2])
    async with cuttable_proxy(port) as proxy:
        tab = await TraderPage.open(context, f"http://{proxy.address}")
        await tab.sign_up()
        names = []
        for side in ("ce", "pe"):
            await tab.find(f"nifty 25000 {side}")
            names.append(await tab.results.first.locator("b").inner_text())
            await tab.results.first.click()
        for view in ("", f"{RELIANCE}?interval=1d"):
            if view != "" and size == "phone":
                break  # the chart is shown in place of the list
            await tab.page.goto(f"http://{proxy.address}{view}")
            await expect(tab.rows("fresh")).to_have_count(8)
            for name in names:
                shown = tab.list.get_by_role("rowheader").filter(has_text=name)
                await expect(shown).to_have_attribute("title", re.compile(f"^{name} · "))
            assert await tab.cut_off_cells() == []
        async with proxy.cut():
            await expect(tab.rows("stale")).to_have_count(8)
            assert await tab.cut_off_cells() == []
    await context.close()


async def test_a_login_after_a_log_out_shows_the_watchlist_and_a_link_is_kept(
    context: BrowserContext, address: str
) -> None:
    tab = await TraderPage.open(context, f"{address}{RELIANCE}")
    email = await tab.sign_up()
    heading = tab.page.locator("main h2")
    await expect(heading).to_contain_text("RELIANCE")
    for view in ("settings", "account"):
        await tab.page.goto(f"{address}{RELIANCE}#{view}")
        await expect(heading).to_have_text(view.capitalize())
        await tab.page.get_by_role("button", name="Log out").click()
        await tab.enter("Log in", email)
        await expect(tab.list).to_be_visible()
        await expect(heading).to_have_count(0)
        await expect(tab.page).to_have_url(f"{address}/")
    assert tab.faults == []


async def test_the_keys_are_shown_from_their_top(context: BrowserContext, address: str) -> None:
    tab = await TraderPage.open(context, address)
    await tab.sign_up()
    await tab.page.set_viewport_size({"width": 1_200, "height": 500})
    await tab.page.get_by_role("button", name="Keys").click()
    help_text = tab.page.get_by_role("dialog", name="Keys")
    await expect(help_text.get_by_role("heading", name="Keys")).to_be_in_viewport()
    await tab.page.keyboard.press("Enter")  # its button closes it
    await expect(help_text).to_have_count(0)


async def test_an_empty_list_says_so_below_its_head(context: BrowserContext, address: str) -> None:
    tab = await TraderPage.open(context, address)
    await tab.sign_up()
    await tab.page.get_by_role("button", name="New list").click()
    await tab.page.keyboard.type("Options")
    await tab.page.keyboard.press("Enter")
    text = await tab.page.get_by_text("The list is empty.").bounding_box()
    head = await tab.list.bounding_box()
    assert text is not None
    assert head is not None
    assert text["x"] >= 8
    assert 0 < text["y"] - head["y"] - head["height"] < 40
