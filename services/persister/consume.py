"""Entries of the tick stream to the aggregator's calls."""

import msgspec

from services.persister import metrics
from services.persister.aggregation.aggregator import Aggregator
from shared.bus.stream_reader import Entry
from shared.contracts.messages import decode_candle, decode_clock, decode_quote
from shared.contracts.subjects import CANDLE_1M_PREFIX, CLOCK, QUOTE_PREFIX
from shared.runtime.logs import get_logger

log = get_logger(__name__)


def consume(aggregator: Aggregator, entry: Entry) -> None:
    """Give one entry to `aggregator`. One that cannot be read counts as lost: it will not
    get better."""
    try:
        if entry.subject.startswith(QUOTE_PREFIX):
            aggregator.quote(decode_quote(entry.data), entry.position)
        elif entry.subject == CLOCK:
            aggregator.clock(decode_clock(entry.data), entry.position)
        elif entry.subject.startswith(CANDLE_1M_PREFIX):
            aggregator.candle(decode_candle(entry.data), entry.position)
        else:
            aggregator.passed(entry.position)
    except msgspec.DecodeError as error:
        metrics.BAD_ENTRIES.inc()
        log.warning(
            "unreadable entry", position=entry.position, subject=entry.subject, error=str(error)
        )
