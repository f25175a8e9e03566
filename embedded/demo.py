"""The demo: a trader's first minute on a stack of its own, with every bar checked."""

import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from pymongo import AsyncMongoClient
from rich.console import Console
from rich.table import Table

from embedded.plan import Plan
from embedded.trader import sign_up
from embedded.truth import PlainBar, differences, plain_bars
from shared.errors import TradeDadError
from shared.market.exchange_time import WINDOW_MS, to_datetime
from tradedad_client import Client, ClientError, Outcome, Quote, Subscription

SPEED: Final = 60
FRAME_INTERVAL_MS: Final = 1_000
OVERRIDES: Final = {
    "TRADEDAD_SIMULATOR_SPEED": str(SPEED),
    "TRADEDAD_SIMULATOR_FRAME_INTERVAL_MS": str(FRAME_INTERVAL_MS),
    "TRADEDAD_LOG_FORMAT": "json",
}
INSTRUMENTS: Final = 10
_WINDOW_TIMEOUT_SECS: Final = 120.0
_POLL_SECS: Final = 0.2


class DemoFailedError(TradeDadError):
    """What the demo shows did not hold; one line for each thing that is wrong."""


@dataclass
class Report:
    """What happened, to be printed."""

    snapshots: int = 0
    quotes: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    bars: list[PlainBar] = field(default_factory=list)
    trades: int = 0

    def latency_ms(self, quantile: float) -> float:
        """From ingest receiving a frame to the client having the quote."""
        ordered = sorted(self.latencies_ms)
        return ordered[max(0, math.ceil(quantile * len(ordered)) - 1)]


async def run_demo(plan: Plan, console: Console) -> Report:
    """Walk through it on a stack that is ready. Raises TradeDadError if anything is wrong."""
    try:
        return await _walk_through(plan, console)
    except ClientError as error:
        raise DemoFailedError(f"the stream: {error}") from error


async def _walk_through(plan: Plan, console: Console) -> Report:
    report = Report()
    url = plan.url("TRADEDAD_GATEWAY_PORT")
    async with aiohttp.ClientSession() as http:
        account = await sign_up(http, url)
        async with Client(url, email=account.email, password=account.password) as client:
            console.print(f"signed up and logged in as [bold]{account.email}[/bold]")
            names = await _names(http, plan)
            keys = list(names)[:INSTRUMENTS]
            quotes = client.quotes(keys)
            outcomes = await quotes.ready()
            report.snapshots = sum(outcome == Outcome.LIVE for outcome in outcomes.values())
            if report.snapshots != len(keys):
                raise DemoFailedError(f"not every instrument had a snapshot: {outcomes}")
            console.print(f"subscribed to {len(keys)} instruments; the last quote of each came")
            reading = asyncio.create_task(_read(quotes, report, console, names))
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
        raise DemoFailedError("no live quote came")
    return report


async def _names(http: aiohttp.ClientSession, plan: Plan) -> dict[str, str]:
    rows = await _get(http, plan, "instruments", {})
    return {row["key"]: row["symbol"] for row in rows}


async def _next_window(http: aiohttp.ClientSession, plan: Plan) -> int:
    """Start of the next window to begin, in the simulator's exchange time."""
    clock = await _get(http, plan, "clock", {})
    now_ms: int = clock["now_ms"]
    return now_ms // WINDOW_MS * WINDOW_MS + WINDOW_MS


async def _get(http: aiohttp.ClientSession, plan: Plan, name: str, query: dict[str, str]) -> Any:
    url = f"{plan.url('TRADEDAD_SIMULATOR_PORT')}/simulator/v1/{name}"
    async with http.get(url, params=query, timeout=aiohttp.ClientTimeout(total=10)) as response:
        response.raise_for_status()
        return await response.json()


async def _read(
    quotes: Subscription[Quote], report: Report, console: Console, names: dict[str, str]
) -> None:
    """Count and time live quotes, and show one of them every second."""
    shown_at = 0.0
    async for quote in quotes:
        now = time.time()
        if quote.snapshot or quote.snap:
            continue
        report.quotes += 1
        report.latencies_ms.append(now * 1e3 - quote.rt / 1e3)
        if now - shown_at > 1.0:
            shown_at = now
            at = to_datetime(quote.ts).astimezone().strftime("%H:%M:%S")
            name = names[quote.key]
            console.print(f"  {at}  {name:<12} {quote.ltp:>10.2f}  ({report.quotes} quotes)")


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
    raise DemoFailedError(f"no bar of the window was stored in {_WINDOW_TIMEOUT_SECS:.0f} s")


async def _compare(
    http: aiohttp.ClientSession,
    plan: Plan,
    stored: list[dict[str, Any]],
    keys: list[str],
    start: int,
    report: Report,
) -> None:
    by_key = {bar["key"]: bar for bar in stored}
    wrong = []
    for key in keys:
        trades = await _get(http, plan, "trades", {"key": key, "to_ms": str(start + WINDOW_MS)})
        expected = plain_bars(key, trades).get(start)
        if expected is None or key not in by_key:
            wrong.append(f"{key}: traded {expected}, stored {by_key.get(key)}")
            continue
        wrong += differences(expected, by_key[key])
        if by_key[key]["state"] != "complete":
            wrong.append(f"{key}: the bar is {by_key[key]['state']}, not complete")
        report.bars.append(expected)
        report.trades += sum(start <= trade["time_ms"] for trade in trades)
    if wrong:
        raise DemoFailedError("bars differ from the market's trades:\n" + "\n".join(wrong))


def print_report(report: Report, took_secs: float, console: Console) -> None:
    """The report, for people."""
    table = Table(title="What you have seen", show_header=False, title_justify="left")
    table.add_row("snapshots on subscribing", f"{report.snapshots}")
    table.add_row("live quotes received", f"{report.quotes}")
    table.add_row(
        "latency, ingest to client",
        f"p50 {report.latency_ms(0.50):.1f} ms, p99 {report.latency_ms(0.99):.1f} ms",
    )
    table.add_row("bars equal to every trade", f"{len(report.bars)} of {len(report.bars)}")
    table.add_row("trades in these bars", f"{report.trades}")
    table.add_row("took", f"{took_secs:.0f} s")
    console.print(table)
