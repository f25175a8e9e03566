"""Compares all stored bars of a stack with the simulator's ledger of trades."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from embedded.expected_bars import differences, expected_bars
from shared.market.exchange_time import to_datetime

Database = AsyncMongoClient[dict[str, Any]]
_REQUEST_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)


@dataclass
class BarReport:
    """The result of the comparison."""

    equal: int = 0
    partial: int = 0
    repaired: int = 0
    missing_in_gap: int = 0
    wrong: list[str] = field(default_factory=list)


class StoredWindows:
    """Follows the progress of the persister in MongoDB."""

    def __init__(self, mongo: Database) -> None:
        self._checkpoints = mongo.get_database("tradedad").get_collection("checkpoints")
        self.closed_until_ms = 0
        self.advanced_at = time.monotonic()
        """Monotonic time at which a window was last seen closed."""

    async def sample(self) -> None:
        """Read the checkpoint; does nothing while MongoDB is away."""
        try:
            row = await self._checkpoints.find_one({}, sort=[("closed_until", -1)])
        except PyMongoError:
            return
        if row is None or row.get("closed_until") is None:
            return
        closed_until_ms = int(row["closed_until"].timestamp() * 1_000)
        if closed_until_ms != self.closed_until_ms:
            self.closed_until_ms = closed_until_ms
            self.advanced_at = time.monotonic()


async def compare_bars(
    mongo: Database, simulator_url: str, keys: Sequence[str], *, from_ms: int, to_ms: int
) -> BarReport:
    """Compare the bars that start in `[from_ms, to_ms)` with every trade of the ledger."""
    report = BarReport()
    database = mongo.get_database("tradedad")
    gaps = await database.get_collection("gaps").find({}).to_list()
    url = f"{simulator_url}/simulator/v1/trades"
    async with aiohttp.ClientSession(timeout=_REQUEST_TIMEOUT) as http:
        for key in keys:
            async with http.get(url, params={"key": key, "to_ms": str(to_ms)}) as response:
                response.raise_for_status()
                trades = await response.json()
            expected = {
                start: bar
                for start, bar in expected_bars(key, trades).items()
                if from_ms <= start < to_ms
            }
            window = {"$gte": to_datetime(from_ms), "$lt": to_datetime(to_ms)}
            rows = (
                await database.get_collection("bars_5m")
                .find({"key": key, "start": window})
                .to_list()
            )
            stored = {int(row["start"].timestamp() * 1_000): row for row in rows}
            for start in stored.keys() - expected.keys():
                report.wrong.append(f"{key} {start}: stored, but nothing was traded")
            for start, bar in expected.items():
                row = stored.get(start)
                if row is None:
                    if _is_in_gap(gaps, key, start):
                        report.missing_in_gap += 1
                    else:
                        report.wrong.append(f"{key} {start}: missing, and no gap covers it")
                elif row["state"] == "partial":
                    report.partial += 1
                else:
                    lines = differences(bar, row)
                    if row["state"] == "repaired":
                        report.repaired += 1
                        # Candles have no cumulative volume of the day.
                        lines = [line for line in lines if " vtt: " not in line]
                    report.equal += not lines
                    report.wrong += lines
    return report


def _is_in_gap(gaps: list[dict[str, Any]], key: str, start_ms: int) -> bool:
    at = to_datetime(start_ms)
    return any(
        gap["start"] <= at < gap["end"] and (not gap["keys"] or key in gap["keys"]) for gap in gaps
    )
