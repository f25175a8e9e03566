"""The order book of an instrument as a message, for those who asked for it."""

from services.ingest.feed import wire
from services.ingest.normalise.instrument_state import InstrumentState
from shared.contracts.messages import Depth


def depth_of(instrument: InstrumentState) -> Depth | None:
    """Its order book as it was told last; None if it was told none (an index has none)."""
    book = instrument.packed_book()
    if book is None:
        return None
    bids, asks = wire.levels(book)
    quote = instrument.quote
    return Depth(
        key=instrument.key,
        epoch=quote.epoch,
        seq=quote.seq,
        ts=quote.ts,
        rt=quote.rt,
        bids=bids,
        asks=asks,
        greeks=None if instrument.greeks is None else wire.greeks(instrument.greeks),
        iv=instrument.iv,
    )
