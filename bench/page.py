"""Frames, work, memory and size of the trader's page, with 200 rows at 1 000 quotes a second.

``make bench-page``. A whole stack with a simulated Upstox runs on this machine, and the page runs in
Chromium for a minute. The browser counts frames; DevTools count objects before and after, each time
after a forced garbage collection.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Final

import aiohttp
from playwright.async_api import Browser, expect

from bench.harness import report_lines
from bench.page_tab import COUNT_QUOTES, TabMeter, frames_of, quotes_of
from embedded.page.build import OUTPUT, build
from embedded.plan import prepare
from embedded.stack import Stack
from services.gateway.http.static_files import read_files
from services.simulator.market.universe import synthetic_stock
from tests.support.trader_page import PASSWORD, TraderPage, running_browser

ROWS: Final = 200
SECS: Final = 60.0
_WARM_UP_SECS: Final = 15.0
_START_SECS: Final = 120.0
_MARKET: Final = {
    "TRADEDAD_SIMULATOR_SYNTHETIC": str(ROWS),
    "TRADEDAD_SIMULATOR_FRAME_INTERVAL_MS": "200",
    "TRADEDAD_SIMULATOR_TRADES_PER_SEC": "25",
    "TRADEDAD_SIMULATOR_LEDGER_MAX_ROWS": "2000",
}


async def measure(browser: Browser, address: str) -> dict[str, float]:
    """The figures of a minute of one tab."""
    context = await browser.new_context(viewport={"width": 1_600, "height": 900})
    tab = await TraderPage.open(context, address)
    await _list_rows(address, await tab.sign_up())
    await tab.page.add_init_script(COUNT_QUOTES)
    await tab.page.reload()
    await expect(tab.rows("fresh")).to_have_count(ROWS)
    await asyncio.sleep(_WARM_UP_SECS)
    meter = TabMeter(await context.new_cdp_session(tab.page))
    before = await meter.read()
    quotes = await quotes_of(tab.page)
    gaps_ms = await frames_of(tab.page, SECS)
    quotes = await quotes_of(tab.page) - quotes
    after = await meter.read()
    late = sum(gap > 25 for gap in gaps_ms)
    return {
        "frames_over_25ms_pct": 100 * late / len(gaps_ms),
        "long_frames": sum(gap > 50 for gap in gaps_ms),
        "longest_frame_ms": max(gaps_ms),
        "frames_per_s": len(gaps_ms) / SECS,
        "quotes_per_s": quotes / SECS,
        "main_thread_busy_pct": 100 * (after.task_secs - before.task_secs) / SECS,
        "script_busy_pct": 100 * (after.script_secs - before.script_secs) / SECS,
        "layout_busy_pct": 100 * (after.layout_secs - before.layout_secs) / SECS,
        "heap_mb_per_min": (after.heap_bytes - before.heap_bytes) / 1e6 * 60 / SECS,
        "heap_mb": after.heap_bytes / 1e6,
        "nodes_added": after.nodes - before.nodes,
        "listeners_added": after.listeners - before.listeners,
    }


async def _list_rows(address: str, email: str) -> None:
    """Give the user a watchlist of the simulator's synthetic stocks."""
    login = {"email": email, "password": PASSWORD}
    rows = [synthetic_stock(number).key for number in range(ROWS)]
    body = {"name": "Bench", "keys": rows, "revision": 0}
    async with aiohttp.ClientSession(address, raise_for_status=True) as http:
        async with http.post("/auth/login", json=login) as response:
            token = (await response.json())["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        async with http.put("/v1/watchlists/bench", json=body, headers=headers):
            pass


def bundle_kib_gz() -> float:
    """The size of what a browser loads for the page, as the gateway sends it."""
    loaded = [
        len(file.gzipped or file.body)
        for path, file in read_files(OUTPUT).items()
        if path == "/" or path.endswith((".js", ".css"))
    ]
    return sum(loaded) / 1024


async def run(address: str) -> dict[str, float]:
    """Measure in a browser of its own."""
    async with running_browser() as browser:
        return await measure(browser, address)


def main() -> None:
    """Measure and print."""
    build()
    with tempfile.TemporaryDirectory() as folder:
        plan = prepare(
            data_dir=Path(folder) / "data",
            use_free_ports=True,
            always_simulated=True,
            overrides=_MARKET | {"TRADEDAD_LOG_LEVEL": "error"},
        )
        with (Path(folder) / "log").open("wb") as log, Stack(plan, log) as stack:
            stack.wait_ready(_START_SECS)
            figures = asyncio.run(run(plan.url("TRADEDAD_GATEWAY_PORT")))
    report_lines("page", figures | {"bundle_kib_gz": bundle_kib_gz()})


if __name__ == "__main__":
    main()
