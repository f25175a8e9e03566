"""Decodes entries of the tick stream and applies them to the aggregator."""

import time
from typing import Final

import msgspec

from services.persister import metrics
from services.persister.aggregation.aggregator import Aggregator
from shared.bus.stream_reader import Entry
from shared.contracts.messages import decode_candle, decode_clock, decode_quote
from shared.contracts.subjects import CANDLE_1M_PREFIX, CLOCK, QUOTE_PREFIX
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_LOG_EVERY_SECS: Final = 60.0


def apply_entry(aggregator: Aggregator, entry: Entry) -> None:
    """Decode one entry and apply it to `aggregator`.

    An entry that cannot be decoded, or has a value out of range, counts as lost, since reading it
    again would not help. It is counted; the first in a minute is logged.
    """
    try:
        if entry.subject.startswith(QUOTE_PREFIX):
            aggregator.apply_quote(decode_quote(entry.data), entry.position)
        elif entry.subject == CLOCK:
            aggregator.apply_clock_tick(decode_clock(entry.data), entry.position)
        elif entry.subject.startswith(CANDLE_1M_PREFIX):
            aggregator.apply_candle(decode_candle(entry.data), entry.position)
        else:
            aggregator.skip(entry.position)
    except msgspec.DecodeError as error:
        metrics.UNDECODABLE_ENTRIES.inc()
        _log_once_a_minute(entry, str(error))


_last_logged_secs = float("-inf")


def _log_once_a_minute(entry: Entry, error: str) -> None:
    global _last_logged_secs
    now_secs = time.monotonic()
    if now_secs - _last_logged_secs < _LOG_EVERY_SECS:
        return
    _last_logged_secs = now_secs
    log.warning(
        "entry cannot be decoded", position=entry.position, subject=entry.subject, error=error
    )
