"""The order book message of an instrument."""

from services.ingest.feed import wire
from services.ingest.normalise.instrument_state import InstrumentState
from shared.contracts.messages import Depth


def depth_of(instrument: InstrumentState) -> Depth | None:
    """The last received order book; None if there was none (an index has none)."""
    packed = instrument.packed_book()
    if packed is None:
        return None
    bids, asks = wire.decode_levels(packed)
    quote = instrument.quote
    return Depth(
        key=instrument.key,
        epoch=quote.epoch,
        seq=quote.seq,
        ts=quote.ts,
        rt=quote.rt,
        bids=bids,
        asks=asks,
        greeks=None if instrument.greeks is None else wire.decode_greeks(instrument.greeks),
        iv=instrument.iv,
    )
