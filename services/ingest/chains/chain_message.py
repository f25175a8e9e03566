"""The message of an option chain, made from the state of its instruments.

PURE: the time is an argument.
"""

from collections.abc import Mapping

from services.ingest.chains.chain_windows import ChainWindows
from services.ingest.feed.wire import decode_greeks
from services.ingest.normalise.instrument_state import InstrumentState
from shared.contracts.option_chains import Chain, ChainKey, ChainRow, OptionState

Instruments = Mapping[str, InstrumentState]


def newest_us(windows: ChainWindows, chain: ChainKey, instruments: Instruments) -> int:
    """When the newest data of the chain was received, epoch µs; 0 before the first."""
    received = (
        instruments[key].quote.rt
        for key in (chain.underlying, *windows.keys(chain))
        if key in instruments
    )
    return max(received, default=0)


def chain_message(
    windows: ChainWindows, chain: ChainKey, instruments: Instruments, *, epoch: int, seq: int,
    now_us: int,
) -> Chain:  # fmt: skip
    """The message of a chain that has a window."""
    window = windows.windows[chain]
    underlying = instruments.get(chain.underlying)
    times = (
        instruments[key].quote.ts
        for key in (chain.underlying, *windows.keys(chain))
        if key in instruments
    )
    return Chain(
        key=str(chain),
        epoch=epoch,
        seq=seq,
        ts=max(times, default=0),
        rt=now_us,
        underlying=chain.underlying,
        expiry=chain.expiry,
        ltp=None if underlying is None else underlying.quote.ltp,
        atm=window[windows.at_the_money[chain]].strike,
        rows=[
            ChainRow(
                strike=row.strike,
                call=_option(row.call, instruments),
                put=_option(row.put, instruments),
            )
            for row in window
        ],
    )


def _option(key: str | None, instruments: Instruments) -> OptionState | None:
    if key is None:
        return None
    instrument = instruments.get(key)
    if instrument is None:
        return OptionState(key=key)
    quote = instrument.quote
    return OptionState(
        key=key,
        ltt=quote.ltt,
        ltp=quote.ltp,
        cp=quote.cp,
        volume=quote.volume,
        oi=quote.oi,
        bid=quote.bid,
        bid_qty=quote.bid_qty,
        ask=quote.ask,
        ask_qty=quote.ask_qty,
        iv=instrument.iv,
        greeks=None if instrument.greeks is None else decode_greeks(instrument.greeks),
    )
