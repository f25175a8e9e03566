"""Entries of the tick stream to the aggregator's calls."""

import msgspec

from services.persister import metrics
from services.persister.aggregate import Aggregator, ClosedWindow
from shared.logs import get_logger
from shared.messages import decode_clock, decode_quote
from shared.stream import Entry
from shared.subjects import CLOCK, QUOTE_PREFIX

log = get_logger(__name__)


def consume(aggregator: Aggregator, entry: Entry) -> list[ClosedWindow]:
    """Give one entry to `aggregator`; the windows that it closes, in order.

    An entry that cannot be read counts as lost: it will not get better.
    """
    try:
        if entry.subject.startswith(QUOTE_PREFIX):
            metrics.QUOTES.inc()
            return aggregator.quote(decode_quote(entry.data), entry.position)
        if entry.subject == CLOCK:
            return aggregator.clock(decode_clock(entry.data), entry.position)
        aggregator.passed(entry.position)
    except msgspec.DecodeError as error:
        metrics.BAD_ENTRIES.inc()
        log.warning(
            "unreadable entry", position=entry.position, subject=entry.subject, error=str(error)
        )
    return []
