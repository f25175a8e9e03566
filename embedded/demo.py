"""The demo: signs up, reads live quotes, trades on paper, and checks bars against all trades."""

import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from pymongo import AsyncMongoClient
from rich.console import Console
from rich.table import Table

from embedded.demo_link import link_simulated_account
from embedded.demo_order import DemoTrade, trade
from embedded.expected_bars import ExpectedBar, differences, expected_bars
from embedded.plan import Plan
from embedded.signup import sign_up
from shared.errors import TradeDadError
from shared.market.exchange_time import MINUTE_MS, WINDOW_MS, day_start, to_datetime
from tradedad_client import Account, Client, ClientError, Outcome, Quote, Subscription

SPEED: Final = 60
FRAME_INTERVAL_MS: Final = 1_000
_OPENS_MS: Final = 10 * 60 * MINUTE_MS
INSTRUMENTS: Final = 10
_WINDOW_TIMEOUT_SECS: Final = 120.0
_POLL_SECS: Final = 0.2


class DemoFailedError(TradeDadError):
    """A check of the demo failed; the message has one line per problem."""


def overrides() -> dict[str, str]:
    """Settings of the demo's stack.

    Its market begins at 10:00 IST of today. At this speed, midnight or the end of Upstox's tokens
    at 03:30 would otherwise often come during the demo.
    """
    starts_ms = day_start(int(time.time() * 1_000)) + _OPENS_MS
    return {
        "TRADEDAD_SIMULATOR_START_MS": str(starts_ms),
        "TRADEDAD_SIMULATOR_SPEED": str(SPEED),
        # With derivatives, the simulator would take most of a core at this speed.
        "TRADEDAD_SIMULATOR_UNIVERSE": "nifty50",
        "TRADEDAD_SIMULATOR_FRAME_INTERVAL_MS": str(FRAME_INTERVAL_MS),
        "TRADEDAD_LOG_FORMAT": "json",
    }


@dataclass
class Report:
    """Results of the demo."""

    snapshots: int = 0
    quotes: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    bars: list[ExpectedBar] = field(default_factory=list)
    trades: int = 0
    paper_trade: DemoTrade | None = None
    upstox_trade: DemoTrade | None = None

    def latency_ms(self, quantile: float) -> float:
        """Return a quantile of the time from ingest's receipt of a frame to the client's."""
        ordered = sorted(self.latencies_ms)
        return ordered[max(0, math.ceil(quantile * len(ordered)) - 1)]


async def run_demo(plan: Plan, console: Console) -> Report:
    """Run the demo on a stack that is ready. Raises TradeDadError if a check fails."""
    try:
        return await _run_steps(plan, console)
    except ClientError as error:
        raise DemoFailedError(f"the stream failed: {error}") from error


async def _run_steps(plan: Plan, console: Console) -> Report:
    report = Report()
    url = plan.url("TRADEDAD_GATEWAY_PORT")
    async with aiohttp.ClientSession() as http:
        account = await sign_up(http, url)
        async with Client(url, email=account.email, password=account.password) as client:
            console.print(f"signed up and logged in as [bold]{account.email}[/bold]")
            symbols = await _symbols(http, plan)
            keys = list(symbols)[:INSTRUMENTS]
            quotes = client.quotes(keys)
            outcomes = await quotes.ready()
            report.snapshots = sum(outcome == Outcome.LIVE for outcome in outcomes.values())
            if report.snapshots != len(keys):
                raise DemoFailedError(f"not every instrument is live: {outcomes}")
            console.print(
                f"subscribed to {len(keys)} instruments and received the last quote of each"
            )
            report.paper_trade = await trade(client, Account.PAPER, keys[0], symbols[keys[0]])
            console.print(f"bought on paper: {_trade_text(report.paper_trade)}")
            upstox_user_id = await link_simulated_account(http, client)
            console.print(f"linked the account {upstox_user_id} at the simulated Upstox")
            report.upstox_trade = await trade(client, Account.UPSTOX, keys[0], symbols[keys[0]])
            console.print(f"bought there: {_trade_text(report.upstox_trade)}")
            reading = asyncio.create_task(_read(quotes, report, console, symbols))
            try:
                start = await _next_window(http, plan)
                console.print("waiting for a five-minute window to open and close ...")
                stored = await _wait_for_bars(plan, keys, start, reading)
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
        await _compare(http, plan, stored, keys, start, report)
    if quotes.outdated:
        raise DemoFailedError(f"{quotes.outdated} quotes arrived out of order")
    if not report.quotes:
        raise DemoFailedError("no live quote was received")
    return report


def _trade_text(trade: DemoTrade) -> str:
    return f"{trade.position} {trade.symbol} at {trade.average_price:.2f}"


async def _symbols(http: aiohttp.ClientSession, plan: Plan) -> dict[str, str]:
    rows = await _get(http, plan, "instruments", {})
    return {row["key"]: row["symbol"] for row in rows}


async def _next_window(http: aiohttp.ClientSession, plan: Plan) -> int:
    """Return the start of the next window, in the simulator's exchange time."""
    clock = await _get(http, plan, "clock", {})
    now_ms: int = clock["now_ms"]
    return now_ms // WINDOW_MS * WINDOW_MS + WINDOW_MS


async def _get(http: aiohttp.ClientSession, plan: Plan, name: str, query: dict[str, str]) -> Any:
    url = f"{plan.url('TRADEDAD_SIMULATOR_PORT')}/simulator/v1/{name}"
    async with http.get(url, params=query, timeout=aiohttp.ClientTimeout(total=10)) as response:
        response.raise_for_status()
        return await response.json()


async def _read(
    quotes: Subscription[Quote], report: Report, console: Console, symbols: dict[str, str]
) -> None:
    """Count live quotes, measure their latency, and print one per second."""
    shown_at = 0.0
    # Quotes from before have waited for the orders of the demo.
    began_us = time.time_ns() // 1_000
    async for quote in quotes:
        now = time.time()
        if quote.snapshot or quote.snap or quote.rt < began_us:
            continue
        report.quotes += 1
        report.latencies_ms.append(now * 1e3 - quote.rt / 1e3)
        if now - shown_at > 1.0:
            shown_at = now
            local_time = to_datetime(quote.ts).astimezone().strftime("%H:%M:%S")
            symbol = symbols[quote.key]
            console.print(
                f"  {local_time}  {symbol:<12} {quote.ltp:>10.2f}  ({report.quotes} quotes)"
            )


async def _wait_for_bars(
    plan: Plan, keys: list[str], start: int, reading: "asyncio.Task[None]"
) -> list[dict[str, Any]]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        plan.mongo_url, timeoutMS=60_000, tz_aware=True
    )
    async with client:
        bars = client.get_database("tradedad").get_collection("bars_5m")
        deadline = time.monotonic() + _WINDOW_TIMEOUT_SECS
        while time.monotonic() < deadline:
            if reading.done():
                reading.result()
            query = {"key": {"$in": keys}, "start": to_datetime(start)}
            stored = await bars.find(query).to_list()
            if stored:
                return stored
            await asyncio.sleep(_POLL_SECS)
    raise DemoFailedError(f"no bar of the window was stored within {_WINDOW_TIMEOUT_SECS:.0f} s")


async def _compare(
    http: aiohttp.ClientSession,
    plan: Plan,
    stored: list[dict[str, Any]],
    keys: list[str],
    start: int,
    report: Report,
) -> None:
    by_key = {bar["key"]: bar for bar in stored}
    problems = []
    for key in keys:
        trades = await _get(http, plan, "trades", {"key": key, "to_ms": str(start + WINDOW_MS)})
        expected = expected_bars(key, trades).get(start)
        if expected is None or key not in by_key:
            problems.append(f"{key}: traded {expected}, stored {by_key.get(key)}")
            continue
        problems += differences(expected, by_key[key])
        if by_key[key]["state"] != "complete":
            problems.append(f"{key}: the bar is {by_key[key]['state']}, not complete")
        report.bars.append(expected)
        report.trades += sum(start <= trade["time_ms"] for trade in trades)
    if problems:
        raise DemoFailedError(
            "stored bars differ from the simulator's trades:\n" + "\n".join(problems)
        )


def print_report(report: Report, took_secs: float, console: Console) -> None:
    """Print the report as a table."""
    table = Table(title="Results", show_header=False, title_justify="left")
    table.add_row("snapshots on subscribing", f"{report.snapshots}")
    table.add_row("live quotes received", f"{report.quotes}")
    table.add_row(
        "latency, ingest to client",
        f"p50 {report.latency_ms(0.50):.1f} ms, p99 {report.latency_ms(0.99):.1f} ms",
    )
    table.add_row("bars equal to every trade", f"{len(report.bars)} of {len(report.bars)}")
    table.add_row("trades in these bars", f"{report.trades}")
    if (on_paper := report.paper_trade) is not None:
        table.add_row("paper order, filled on the stream", _trade_text(on_paper))
        table.add_row("its charges", f"{on_paper.charges} rupees")
        table.add_row("funds afterwards", f"{on_paper.available} rupees")
    if (at_upstox := report.upstox_trade) is not None:
        table.add_row("order at the simulated Upstox", _trade_text(at_upstox))
        table.add_row("funds there afterwards", f"{at_upstox.available} rupees")
    table.add_row("took", f"{took_secs:.0f} s")
    console.print(table)
