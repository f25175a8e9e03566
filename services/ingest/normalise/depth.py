"""The order book message of an instrument."""

from typing import Final

from services.ingest import metrics
from services.ingest.feed import wire
from services.ingest.normalise.instrument_state import InstrumentState
from services.ingest.normalise.ranges import is_book_in_range
from shared.contracts.messages import MAX_LEVELS, Depth

_LEVELS: Final = 5


def depth_of(instrument: InstrumentState, *, is_deep: bool = False) -> Depth | None:
    """The last received order book; `is_deep` if 30 levels of it are subscribed.

    None if there was none (an index has none), or if it is crossed, unsorted or out of range.
    """
    packed = instrument.packed_book()
    if packed is None:
        return None
    bids, asks = wire.decode_levels(packed)
    if not is_book_in_range(bids, asks):
        metrics.BAD_FIELDS.labels("depth").inc()
        return None
    quote = instrument.quote
    return Depth(
        key=instrument.key,
        epoch=quote.epoch,
        seq=quote.seq,
        ts=quote.ts,
        rt=quote.rt,
        bids=bids,
        asks=asks,
        levels=MAX_LEVELS if is_deep else _LEVELS,
        greeks=None if instrument.greeks is None else wire.decode_greeks(instrument.greeks),
        iv=instrument.iv,
    )
