"""Compares all stored bars of a rig with the simulator's ledger and with the stream."""

from dataclasses import dataclass, field
from typing import Any

from embedded.expected_bars import differences, expected_bars
from services.persister.storage.documents import to_ms
from shared.bus.connection import Bus
from shared.bus.stream_reader import TickReader
from shared.contracts.messages import Quote, decode_quote
from shared.contracts.subjects import ALL_QUOTES
from shared.market.exchange_time import WINDOW_MS, to_datetime, window_start
from shared.runtime.mongo import Mongo
from tests.support.buses import bus_of
from tests.support.rig import KEYS, Rig
from tests.support.servers import NatsServer
from tests.support.waiting import eventually


@dataclass
class Comparison:
    """What was found, over all instruments and windows."""

    equal: int = 0
    wrong: list[str] = field(default_factory=list)
    """A line for each field that differs, each bar that is missing or that nothing explains."""
    states: dict[tuple[str, int], str] = field(default_factory=dict)

    def not_complete(self) -> list[tuple[str, int]]:
        return [place for place, state in sorted(self.states.items()) if state != "complete"]


async def wait_until_stored(mongo: Mongo, until_ms: int, *, timeout_secs: float = 90.0) -> None:
    """Until all windows that end by then are stored, candles that came late with them."""

    async def stored() -> bool:
        found = await mongo.db["checkpoints"].find_one(
            {"closed_until": {"$gte": to_datetime(until_ms)}}
        )
        return found is not None

    await eventually(stored, what="the windows are stored", timeout_secs=timeout_secs)


async def check_all_complete(made: Rig, mongo: Mongo, nats: NatsServer, *, windows: int) -> None:
    """Once they are stored: each bar of the first windows is complete, and what was traded."""
    await wait_until_stored(mongo, made.first_window + (windows + 1) * WINDOW_MS)
    async with bus_of(nats, "gateway") as bus:
        quotes = await all_quotes(bus)
    found = await compare(made, mongo, KEYS, windows=windows, quotes=quotes)
    assert found.wrong == []
    assert found.not_complete() == []
    assert found.equal == windows * len(KEYS)


async def check_partial_only_within(
    touched: set[int], made: Rig, mongo: Mongo, nats: NatsServer, *, windows: int
) -> None:
    """Once they are stored: each bar of the first windows is what was traded, unless it is of a
    window of `touched` and says of itself that it is partial."""
    await wait_until_stored(mongo, made.first_window + (windows + 1) * WINDOW_MS)
    async with bus_of(nats, "gateway") as bus:
        quotes = await all_quotes(bus)
    found = await compare(
        made, mongo, KEYS, windows=windows, quotes=quotes, partial_may_differ=True
    )
    assert found.wrong == []
    assert {start for _, start in found.not_complete()} <= touched
    assert found.equal >= (windows - len(touched)) * len(KEYS)


async def compare(
    made: Rig, mongo: Mongo, keys: tuple[str, ...], *, windows: int,
    quotes: list[Quote] | None = None, partial_may_differ: bool = False,
) -> Comparison:  # fmt: skip
    """The bars of the first `windows` windows, beside every trade; of `quotes`, what they tell."""
    found = Comparison()
    first = made.first_window
    end = first + windows * WINDOW_MS
    shown = told_by_quotes(quotes or [])
    for key in keys:
        trades = await made.trades(key)
        expected = {
            start: bar for start, bar in expected_bars(key, trades).items() if first <= start < end
        }
        query = {
            "key": key,
            "start": {"$gte": to_datetime(first), "$lt": to_datetime(end)},
        }
        rows = await mongo.db["bars_5m"].find(query).sort("start").to_list()
        stored = {to_ms(row["start"]): row for row in rows}
        found.wrong += [f"{key} {start}: doubled" for start in stored if len(rows) != len(stored)]
        found.wrong += [f"{key} {start}: missing" for start in expected.keys() - stored.keys()]
        found.wrong += [f"{key} {start}: no trades" for start in stored.keys() - expected.keys()]
        for start in expected.keys() & stored.keys():
            row = stored[start]
            found.states[key, start] = row["state"]
            if partial_may_differ and row["state"] == "partial":
                continue
            lines = differences(expected[start], row)
            if quotes is not None and row["state"] == "complete":
                lines += _untold(key, start, row, shown.get((key, start)))
            found.wrong += lines
            found.equal += not lines
    return found


def _untold(key: str, start: int, row: dict[str, Any], told: dict[str, Any] | None) -> list[str]:
    told = told or {"ltt": None, "ltq": None, "atp": None, "oi": None, "ticks": 0}
    return [
        f"{key} {start} {name}: told {value}, stored {row[name]}"
        for name, value in told.items()
        if row[name] != value
    ]


def told_by_quotes(quotes: list[Quote]) -> dict[tuple[str, int], dict[str, Any]]:
    """What the last quote with a trade told in each window, and how many there were."""
    told: dict[tuple[str, int], dict[str, Any]] = {}
    seen: dict[str, tuple[int, int]] = {}
    for quote in quotes:
        assert quote.ltt is not None
        if quote.key in seen and not quote.snap:
            ltt, volume = seen[quote.key]
            if quote.ltt > ltt or (quote.volume or 0) > volume:
                place = quote.key, window_start(quote.ltt)
                before = told.get(place, {"ticks": 0})
                told[place] = {
                    "ltt": to_datetime(quote.ltt), "ltq": quote.ltq, "atp": quote.atp,
                    "oi": quote.oi, "ticks": before["ticks"] + 1,
                }  # fmt: skip
        seen[quote.key] = quote.ltt, quote.volume or 0
    return told


async def all_quotes(bus: Bus) -> list[Quote]:
    """Every quote that the stream holds, in order."""
    quotes: list[Quote] = []
    async with TickReader(bus, start=1, subject=ALL_QUOTES) as reader:
        left = await reader.open()
        while len(quotes) < left:
            quotes += [decode_quote(entry.data) for entry in await reader.batch()]
    return quotes
