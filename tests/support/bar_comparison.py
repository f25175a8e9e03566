"""Compares the stored bars of a pipeline stack with the simulator's trades and with the stream."""

from dataclasses import dataclass, field
from typing import Any

from embedded.expected_bars import differences, expected_bars
from services.persister.storage.documents import to_ms
from shared.bus.connection import Bus
from shared.bus.tick_reader import TickReader
from shared.contracts.messages import Quote, decode_quote
from shared.contracts.subjects import ALL_QUOTES
from shared.market.exchange_time import WINDOW_MS, to_datetime, window_start
from shared.runtime.mongo import Mongo
from tests.support.buses import bus_of
from tests.support.patience import TEST_TIMEOUT_SECS
from tests.support.pipeline_stack import KEYS, PipelineStack
from tests.support.servers import NatsServer
from tests.support.waiting import eventually


@dataclass
class Comparison:
    """The result over all instruments and windows."""

    equal: int = 0
    """How many bars equal the trades in every field."""
    wrong: list[str] = field(default_factory=list)
    """A line for each field that differs, and for each bar that is missing or has no trades."""
    states: dict[tuple[str, int], str] = field(default_factory=dict)
    """The state of each stored bar, by key and start."""

    def not_complete(self) -> list[tuple[str, int]]:
        """The stored bars that are not `complete`."""
        return [place for place, state in sorted(self.states.items()) if state != "complete"]


async def wait_until_stored(mongo: Mongo, until_ms: int) -> None:
    """Wait until all windows that end by then are stored."""

    async def stored() -> bool:
        checkpoint = await mongo.db["checkpoints"].find_one(
            {"closed_until": {"$gte": to_datetime(until_ms)}}
        )
        return checkpoint is not None

    await eventually(stored, what="the windows are stored", timeout_secs=TEST_TIMEOUT_SECS)


async def check_all_complete(
    stack: PipelineStack, mongo: Mongo, nats: NatsServer, *, windows: int
) -> None:
    """Each bar of the first windows is complete and equals its trades."""
    found = await _compare_with_stream(stack, mongo, nats, windows=windows)
    assert found.wrong == []
    assert found.not_complete() == []
    assert found.equal == windows * len(KEYS)


async def check_partial_only_within(
    touched: set[int], stack: PipelineStack, mongo: Mongo, nats: NatsServer, *, windows: int
) -> None:
    """Each bar of the first windows equals its trades, except partial bars of the windows in
    `touched`.
    """
    found = await _compare_with_stream(stack, mongo, nats, windows=windows, partial_may_differ=True)
    assert found.wrong == []
    assert {start for _, start in found.not_complete()} <= touched
    assert found.equal >= (windows - len(touched)) * len(KEYS)


async def _compare_with_stream(
    stack: PipelineStack,
    mongo: Mongo,
    nats: NatsServer,
    *,
    windows: int,
    partial_may_differ: bool = False,
) -> Comparison:
    # One window more: candles that arrive late amend the bars of the last one.
    await wait_until_stored(mongo, stack.first_window + (windows + 1) * WINDOW_MS)
    async with bus_of(nats, "gateway") as bus:
        quotes = await all_quotes(bus)
    return await compare(
        stack, mongo, windows=windows, quotes=quotes, partial_may_differ=partial_may_differ
    )


async def compare(
    stack: PipelineStack,
    mongo: Mongo,
    *,
    windows: int,
    quotes: list[Quote] | None = None,
    partial_may_differ: bool = False,
) -> Comparison:
    """Compare the bars of the first windows with every trade, and with `quotes` if given."""
    found = Comparison()
    first = stack.first_window
    end = first + windows * WINDOW_MS
    in_quotes = fields_of_quotes(quotes or [])
    for key in KEYS:
        trades = await stack.trades(key)
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
                lines += _differences_from_quotes(key, start, row, in_quotes.get((key, start)))
            found.wrong += lines
            found.equal += not lines
    return found


def _differences_from_quotes(
    key: str, start: int, row: dict[str, Any], expected: dict[str, Any] | None
) -> list[str]:
    expected = expected or {"ltt": None, "ltq": None, "atp": None, "oi": None, "ticks": 0}
    return [
        f"{key} {start} {name}: quotes have {value}, stored {row[name]}"
        for name, value in expected.items()
        if row[name] != value
    ]


def fields_of_quotes(quotes: list[Quote]) -> dict[tuple[str, int], dict[str, Any]]:
    """The fields that a bar takes from quotes: those of the last quote with a new trade in each
    window, and the number of such quotes.
    """
    fields: dict[tuple[str, int], dict[str, Any]] = {}
    last: dict[str, tuple[int, int]] = {}
    for quote in quotes:
        assert quote.ltt is not None
        if quote.key in last and not quote.snap:
            ltt, volume = last[quote.key]
            if quote.ltt > ltt or (quote.volume or 0) > volume:
                place = quote.key, window_start(quote.ltt)
                before = fields.get(place, {"ticks": 0})
                fields[place] = {
                    "ltt": to_datetime(quote.ltt), "ltq": quote.ltq, "atp": quote.atp,
                    "oi": quote.oi, "ticks": before["ticks"] + 1,
                }  # fmt: skip
        last[quote.key] = quote.ltt, quote.volume or 0
    return fields


async def all_quotes(bus: Bus) -> list[Quote]:
    """Every quote in the stream, in order."""
    quotes: list[Quote] = []
    async with TickReader(bus, start=1, subject=ALL_QUOTES) as reader:
        left = await reader.open()
        while len(quotes) < left:
            quotes += [decode_quote(entry.data) for entry in await reader.batch()]
    return quotes
