"""Prices that change with a tint, and without one for those who want no motion."""

import re
from typing import Final, Literal

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.support.patience import PATIENCE_MS
from tests.support.trader_page import TraderPage

COUNT_ANIMATIONS: Final = """
window.animations = 0;
document.addEventListener("animationstart", () => { window.animations += 1; }, true);
"""
System = Literal["no-preference", "reduce"]


async def wait_for_change(price: Locator) -> None:
    """A change of a price has another class than the one before it."""
    await expect(price).to_have_class(re.compile("flash"))
    before = await price.get_attribute("class") or ""
    await expect(price).not_to_have_class(before)


@pytest.mark.parametrize(
    ("system", "setting", "moves"),
    [
        ("no-preference", "As the system", True),
        ("no-preference", "No flashes", False),
        ("reduce", "As the system", False),
    ],
)
async def test_a_change_of_a_price_is_animated_unless_motion_is_reduced(
    browser: Browser, address: str, system: System, setting: str, moves: bool
) -> None:
    context = await browser.new_context(
        viewport={"width": 1_600, "height": 900}, reduced_motion=system
    )
    context.set_default_timeout(PATIENCE_MS)
    await context.add_init_script(COUNT_ANIMATIONS)
    tab = await TraderPage.open(context, address)
    await tab.sign_up()
    await tab.page.goto(f"{address}/#settings")
    motion = tab.page.get_by_role("group", name="Motion")
    await motion.get_by_label(setting).check()
    await tab.page.reload()  # the settings are shown, and no price
    await expect(motion.get_by_label(setting)).to_be_checked()
    await tab.page.get_by_role("link", name="Back to the watchlist").click()
    await wait_for_change(tab.price("RELIANCE").locator("span"))
    await wait_for_change(tab.price("RELIANCE").locator("span"))
    # The event of an animation is sent before the next frame is drawn.
    await tab.page.evaluate("new Promise((done) => requestAnimationFrame(() => done()))")
    assert (await tab.page.evaluate("window.animations") > 0) == moves
    assert tab.faults == []
    await context.close()
