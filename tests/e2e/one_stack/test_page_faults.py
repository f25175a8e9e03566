"""The trader's page while the gateway, the feed, the network or the computer fails."""

import json
import signal

import aiohttp
import pytest
from playwright.async_api import BrowserContext, expect

from embedded.stack import Stack
from tests.e2e.one_stack.test_client import gateway_of
from tests.support.tcp_proxy import cuttable_proxy
from tests.support.trader_page import TraderPage

SHOWN = 6
"""Instruments of a new user's list."""
SLOW_SECS = 0.3
TOKEN_MINUTES = 20
"""Longer than an access token lives."""


async def opened(context: BrowserContext, address: str) -> TraderPage:
    tab = await TraderPage.open(context, address)
    await tab.sign_up()
    await expect(tab.rows("fresh")).to_have_count(SHOWN)
    return tab


async def call_faults(stack: Stack, method: str, **fault: object) -> None:
    url = f"{stack.plan.url('TRADEDAD_SIMULATOR_PORT')}/simulator/v1/faults"
    async with (
        aiohttp.ClientSession(raise_for_status=True) as http,
        http.request(method, url, data=json.dumps(fault) if fault else None) as response,
    ):
        await response.read()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
async def test_a_gateway_that_ends_greys_all_prices_until_another_serves_them(
    context: BrowserContext, address: str, stack: Stack, number: signal.Signals
) -> None:
    tab = await opened(context, address)
    gateway_of(stack).send_signal(number)
    await expect(tab.rows("stale")).to_have_count(SHOWN)
    await expect(tab.rows("fresh")).to_have_count(SHOWN)
    await tab.wait_for_moving_price("RELIANCE")
    await expect(tab.page.get_by_text("1 reconnect", exact=True)).to_be_visible()
    assert tab.faults == []


async def test_a_feed_that_is_away_is_told_and_greys_all_prices(
    context: BrowserContext, address: str, stack: Stack
) -> None:
    tab = await opened(context, address)
    feed = tab.page.locator("#feed")
    try:
        await call_faults(stack, "POST", kind="error", path="/v3/feed/market-data-feed", times=None)
        await call_faults(stack, "POST", kind="abort")
        await expect(tab.rows("stale")).to_have_count(SHOWN)
        await expect(feed).not_to_contain_text("live")
        await expect(tab.row("RELIANCE")).to_contain_text("stale since")
    finally:
        await call_faults(stack, "DELETE")
    await expect(feed).to_have_text("Feed live (simulated)")
    await expect(tab.rows("fresh")).to_have_count(SHOWN)
    await tab.wait_for_moving_price("RELIANCE")
    assert tab.faults == []


async def test_on_a_slow_network_everything_comes_and_the_round_trip_says_so(
    context: BrowserContext, stack: Stack
) -> None:
    port = int(stack.plan.url("TRADEDAD_GATEWAY_PORT").rpartition(":")[2])
    async with cuttable_proxy(port) as proxy:
        with proxy.slow(SLOW_SECS):
            tab = await opened(context, f"http://{proxy.address}")
            await tab.wait_for_moving_price("RELIANCE")
            round_trip = tab.page.get_by_text("Round trip").locator("+ dd")
            await expect(round_trip).to_contain_text("ms")
            assert int((await round_trip.inner_text()).split()[0]) >= 2 * SLOW_SECS * 1_000
            await tab.page.get_by_role("button", name="Buy RELIANCE").click()
            ticket = tab.page.locator("dialog.ticket")
            await expect(ticket).to_contain_text("All checks are passed.")
            await expect(tab.rows("fresh")).to_have_count(SHOWN)
            assert tab.faults == []


async def test_after_sleep_prices_are_current_and_the_session_goes_on(
    context: BrowserContext, stack: Stack
) -> None:
    port = int(stack.plan.url("TRADEDAD_GATEWAY_PORT").rpartition(":")[2])
    await context.clock.install()
    async with cuttable_proxy(port) as proxy:
        tab = await opened(context, f"http://{proxy.address}")
        # Asleep, the computer answers nothing, and its connections end. Then its clock jumps.
        async with proxy.cut():
            await context.clock.fast_forward(f"{TOKEN_MINUTES}:00")
            await expect(tab.rows("stale")).to_have_count(SHOWN)
        await expect(tab.rows("fresh")).to_have_count(SHOWN)
        await tab.wait_for_moving_price("RELIANCE")
        await expect(tab.page.locator("#feed")).to_have_text("Feed live (simulated)")
        assert tab.faults == []


async def test_a_clock_that_jumps_ends_no_session_and_keeps_prices_current(
    context: BrowserContext, address: str
) -> None:
    await context.clock.install()
    tab = await opened(context, address)
    await context.clock.fast_forward(f"{TOKEN_MINUTES}:00")
    await expect(tab.rows("fresh")).to_have_count(SHOWN)
    await tab.wait_for_moving_price("RELIANCE")
    await tab.page.get_by_role("link", name="Settings").click()
    assert tab.faults == []


async def test_a_session_that_has_ended_while_asleep_asks_for_a_login(
    context: BrowserContext, address: str
) -> None:
    await context.clock.install()
    tab = await opened(context, address)
    await context.clear_cookies()
    await context.clock.fast_forward(f"{TOKEN_MINUTES}:00")
    await expect(tab.page.get_by_label("E-mail")).to_be_visible()
    await expect(tab.page.get_by_text("Your session has ended")).to_be_visible()
    assert tab.faults == []
