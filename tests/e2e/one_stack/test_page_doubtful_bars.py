"""Bars that are not certain, with their reasons, in the page's table of bars."""

import asyncio
import json
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from playwright.async_api import BrowserContext, Route, expect

from tests.support.trader_page import InstrumentTab, TraderPage
from tests.support.waiting import eventually

RELIANCE: Final = "/i/NSE_EQ%7CINE002A01018?interval=1m"
INDIA: Final = ZoneInfo("Asia/Kolkata")
MINUTE_MS: Final = 60_000
SETTLED_MS: Final = 60 * MINUTE_MS
STRETCH: Final = 11
"""Minutes that all have a bar, before the tests make some of them doubtful."""
REASONS: Final = (
    "partial, trades may be missing: the feed was away (feed silent for 12 s)",
    "repaired with Upstox's candles: messages were lost",
    "Upstox's candle",
    "trades may be missing: a later quote told of trades that were not seen",
    "no trade",
)


class DoubtfulBars:
    """The server's answers, with five doubtful minutes, in the order of `REASONS`."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self._are_chosen = asyncio.Event()

    async def bars(self, route: Route) -> None:
        answer = await route.fetch()
        body: dict[str, Any] = await answer.json()
        bars = {bar["start"]: bar for bar in body["bars"]}
        self._choose(set(bars))
        if set(self.starts) & set(bars):
            partial, repaired, candle, *absent = self.starts
            bars[partial] |= {"state": "partial", "silent_ms": 11_500, "ticks": 4}
            bars[repaired] |= {"state": "repaired", "ticks": 4}
            bars[candle] |= {"state": "repaired", "ticks": 0}
            body["bars"] = [bar for start, bar in bars.items() if start not in absent]
        await route.fulfill(response=answer, body=json.dumps(body))

    async def gaps(self, route: Route) -> None:
        await self._are_chosen.wait()
        answer = await route.fetch()
        body: dict[str, Any] = await answer.json()
        partial, repaired, _, unseen, _ = self.starts
        body["gaps"] = [
            {"from_ms": start, "to_ms": start + MINUTE_MS, "reason": reason, "state": state}
            for start, reason, state in (
                (unseen, "unseen_trades", "abandoned"),
                (repaired, "entries_lost", "repaired"),
                (partial, "feed_away", "open"),
            )
        ]
        await route.fulfill(response=answer, body=json.dumps(body))

    def _choose(self, starts: set[int]) -> None:
        """Every other minute of the newest stretch before those that a stream still changes."""
        stretches = [
            start
            for start in starts
            if start <= max(starts) - SETTLED_MS
            and all(start - number * MINUTE_MS in starts for number in range(STRETCH))
        ]
        if self.starts or not stretches:
            return
        self.starts = [max(stretches) - number * MINUTE_MS for number in range(1, STRETCH, 2)]
        self._are_chosen.set()


async def test_the_table_says_why_a_bar_is_not_certain(
    context: BrowserContext, address: str
) -> None:
    tab = await TraderPage.open(context, address)
    await tab.sign_up()
    doubtful = DoubtfulBars()
    await tab.page.route("**/v1/bars?*", doubtful.bars)
    await tab.page.route("**/v1/gaps?*", doubtful.gaps)
    await tab.page.goto(f"{address}{RELIANCE}")
    view = InstrumentTab(tab.page)
    await view.wait_until_loaded()
    await view.section.get_by_role("button", name="Table").click()
    await eventually(lambda: doubtful.starts, what="the page has read bars")
    for start, reason in zip(doubtful.starts, REASONS, strict=True):
        time = f"{datetime.fromtimestamp(start / 1_000, INDIA):%d %b %Y %H:%M}"
        row = view.bars.filter(has=tab.page.get_by_role("rowheader", name=time, exact=True))
        await expect(row.locator(".state")).to_have_text(reason)
    assert tab.faults == []
