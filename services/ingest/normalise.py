"""Merges feed messages, block by block, into the state of each instrument.

A frame may leave out any block: what is absent keeps its last value. proto3 does not
send zeros, so a zero in a block means "not said" wherever the market knows no zero.
"""

from typing import Any

from services.ingest.instrument_state import InstrumentState
from shared.errors import InvalidField
from shared.exchange_time import trading_day
from shared.subjects import quote_subject


class Normaliser:
    """The state of every instrument that one feed session has spoken of."""

    def __init__(self) -> None:
        self._states: dict[str, InstrumentState] = {}
        self.refused = 0

    def apply(
        self, feeds: Any, *, ts: int, received_us: int, snapshot: bool
    ) -> list[InstrumentState]:
        """Merge the `feeds` of one message with time `ts`; the states that it touched.

        A message that says nothing of an instrument but its key touches nothing. What
        cannot be (a key without a segment, a quantity that is no number) is counted in
        `refused` and passed over.
        """
        touched = []
        states = self._states
        for key, feed in feeds.items():
            try:
                state = states.get(key)
                if state is None:
                    state = states[key] = InstrumentState(key, quote_subject(key))
                if _merge(state, feed, ts):
                    state.ts = ts
                    state.rt = received_us
                    state.snap = snapshot
                    touched.append(state)
            except (ValueError, OverflowError, InvalidField):
                self.refused += 1
        return touched


def _merge(state: InstrumentState, feed: Any, ts: int) -> bool:
    match feed.WhichOneof("FeedUnion"):
        case "fullFeed":
            full = feed.fullFeed
            if full.HasField("marketFF"):
                _merge_market(state, full.marketFF, ts)
            elif full.HasField("indexFF"):
                _merge_ltpc(state, full.indexFF)
            else:
                return False
        case "firstLevelWithGreeks":
            first = feed.firstLevelWithGreeks
            _merge_ltpc(state, first)
            _merge_day(state, volume=first.vtt, atp=0.0, oi=first.oi, ts=ts)
            if first.HasField("firstDepth"):
                _merge_best(state, first.firstDepth)
        case "ltpc":
            _merge_ltpc(state, feed)
        case _:
            return False
    return True


def _merge_market(state: InstrumentState, market: Any, ts: int) -> None:
    _merge_ltpc(state, market)
    _merge_day(state, volume=market.vtt, atp=market.atp, oi=market.oi, ts=ts)
    if market.HasField("marketLevel") and market.marketLevel.bidAskQuote:
        _merge_best(state, market.marketLevel.bidAskQuote[0])
        # With the book at hand, zero is an empty side: at a circuit limit there is one.
        state.tbq = int(market.tbq)
        state.tsq = int(market.tsq)
    else:
        state.tbq = int(market.tbq) or state.tbq
        state.tsq = int(market.tsq) or state.tsq


def _merge_ltpc(state: InstrumentState, block: Any) -> None:
    if not block.HasField("ltpc"):
        return
    ltpc = block.ltpc
    state.ltp = ltpc.ltp or state.ltp
    state.ltt = ltpc.ltt or state.ltt
    state.ltq = ltpc.ltq or state.ltq
    state.cp = ltpc.cp or state.cp


def _merge_day(state: InstrumentState, *, volume: int, atp: float, oi: float, ts: int) -> None:
    """Merge what counts from the day's start: at a new day, the old day's is forgotten."""
    day = trading_day(ts)
    if state.volume_day != day:
        state.volume_day = day
        state.volume = state.atp = None
    state.volume = volume or state.volume
    state.atp = atp or state.atp
    state.oi = int(oi) or state.oi


def _merge_best(state: InstrumentState, level: Any) -> None:
    state.bid = level.bidP or None
    state.bid_qty = level.bidQ or None
    state.ask = level.askP or None
    state.ask_qty = level.askQ or None
