"""Random entries of the tick stream, between entries that are right."""

import random
from typing import Any, Final

import bson
import msgspec

from services.persister.aggregation.aggregator import Aggregator
from services.persister.aggregation.checkpoint import AggregatorState, decode_state
from services.persister.entry_decoder import apply_entry
from services.persister.storage.documents import bar_document, gap_document
from shared.bus.stream_reader import Entry
from shared.contracts.subjects import CLOCK, candle_subject, depth_subject, quote_subject
from shared.market.exchange_time import WINDOW_MS
from tests.fuzz.rounds import mutated_json, rounds
from tests.support.builders import KEY, MONDAY_10_00

_ROUNDS: Final = 60
_ENTRIES: Final = 40


def _good(source: random.Random, at_ms: int, volume: int) -> tuple[str, dict[str, Any]]:
    kind = source.randrange(4)
    if kind == 0:
        return quote_subject(KEY), {
            "key": KEY, "epoch": 5, "seq": volume, "ts": at_ms, "rt": at_ms * 1_000, "ltt": at_ms,
            "ltp": 1_400.05, "ltq": 3, "volume": volume, "oi": 5, "snap": False,
        }  # fmt: skip
    if kind == 1:
        tick = {"ts": at_ms, "feed_ts": at_ms, "epoch": 5, "seq": volume, "state": "live"}
        return CLOCK, tick
    if kind == 2:
        return depth_subject(KEY), {
            "key": KEY, "epoch": 5, "seq": volume, "ts": at_ms, "rt": at_ms * 1_000,
            "bids": [[1_400.0, 5]], "asks": [[1_400.05, 5]],
        }  # fmt: skip
    start = at_ms // 60_000 * 60_000 - 60_000
    return candle_subject(KEY), {
        "key": KEY, "start": start, "open": 1_400.0, "high": 1_401.0, "low": 1_399.0,
        "close": 1_400.0, "volume": 30, "epoch": 5, "ts": at_ms,
    }  # fmt: skip


def test_no_entry_raises_and_all_results_can_be_stored() -> None:
    for source in rounds(_ROUNDS):
        aggregator = Aggregator(AggregatorState(), grace_ms=2_000, silent_after_ms=30_000)
        position, volume = 0, 1_000
        for number in range(_ENTRIES):
            at_ms = MONDAY_10_00 + number * WINDOW_MS // 8
            volume += 3
            subject, message = _good(source, at_ms, volume)
            data = msgspec.json.encode(message)
            for entry in ((subject, mutated_json(source, message)), (subject, data)):
                position += 1
                apply_entry(aggregator, Entry(position, *entry))
                closed = aggregator.take_closed()
                if closed is None:
                    continue
                decode_state(closed.checkpoint)
                for document in (*map(bar_document, closed.bars), *map(gap_document, closed.gaps)):
                    bson.encode(document)
