"""Decodes entries of the tick stream and applies them to the aggregator."""

import time
from typing import Final

import msgspec

from services.persister import metrics
from services.persister.aggregation.aggregator import Aggregator
from services.persister.aggregation.quoted_trade import decode_quoted_trade
from shared.bus.stream_reader import Entry
from shared.contracts.messages import decode_candle, decode_clock
from shared.contracts.subjects import CANDLE_1M_PREFIX, CLOCK, QUOTE_PREFIX
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_LOG_EVERY_SECS: Final = 60.0


def apply_entry(aggregator: Aggregator, entry: Entry) -> None:
    """Decode one entry and apply it to `aggregator`.

    An entry that cannot be decoded, or has a value out of range, counts as lost, since reading it
    again would not help. It is counted by kind; the first of a kind in a minute is logged.
    """
    kind = ""
    try:
        if entry.subject.startswith(QUOTE_PREFIX):
            kind = "quote"
            aggregator.apply_quote(decode_quoted_trade(entry.data), entry.position)
        elif entry.subject == CLOCK:
            kind = "clock"
            aggregator.apply_clock_tick(decode_clock(entry.data), entry.position)
        elif entry.subject.startswith(CANDLE_1M_PREFIX):
            kind = "candle"
            aggregator.apply_candle(decode_candle(entry.data), entry.position)
        else:  # order books, which bars do not need
            aggregator.skip(entry.position)
    except msgspec.DecodeError as error:
        aggregator.note_undecodable(f"{kind} at position {entry.position}: {error}")
        metrics.UNDECODABLE_ENTRIES.labels(kind).inc()
        _log_once_a_minute(kind, entry, str(error))
    else:
        aggregator.stored_ns = entry.stored_ns


_logged_at_secs: dict[str, float] = {}


def _log_once_a_minute(kind: str, entry: Entry, error: str) -> None:
    now_secs = time.monotonic()
    if now_secs - _logged_at_secs.get(kind, float("-inf")) < _LOG_EVERY_SECS:
        return
    _logged_at_secs[kind] = now_secs
    log.warning(
        "entry cannot be decoded",
        kind=kind, position=entry.position, subject=entry.subject, error=error,
    )  # fmt: skip
