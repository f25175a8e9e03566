"""The ground truth for tests: all trades of the market, and all quotes that the feed sent."""

import struct
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from services.simulator.market.flows import Trade
from services.simulator.market.state import SimulatedState

FrameType = Literal["snapshot", "live"]


class SentQuote(msgspec.Struct, frozen=True):
    """State of one instrument in a feed frame; the fields are named as in Upstox's feed.

    Times are epoch ms, prices rupees. None means that the instrument has no such value.
    """

    kind: FrameType
    ts: int
    ltp: float
    ltt: int
    ltq: int | None
    vtt: int | None
    atp: float | None
    oi: int | None


class LedgerTrade(msgspec.Struct, frozen=True):
    """One trade: epoch ms, rupees, quantity; None is the quantity of an index value."""

    time_ms: int
    price: float
    quantity: int | None


# Rows are packed because a full ledger has millions: ts, live, ltp, ltt, ltq, vtt, atp, oi.
_SENT: Final = struct.Struct("<q?qqqqqq")
_TRADE: Final = struct.Struct("<qqq")
_TIME: Final = struct.Struct("<q")
_ABSENT: Final = -1


class Ledger:
    """Rows of each instrument in order of exchange time.

    Per instrument it stores at most `max_rows` quotes and `max_rows` trades; the oldest are
    dropped.
    """

    def __init__(self, keys: Iterable[str], *, max_rows: int) -> None:
        self._sent: dict[str, deque[bytes]] = {}
        self._trades: dict[str, deque[bytes]] = {}
        for key in keys:
            self._sent[key] = deque(maxlen=max_rows)
            self._trades[key] = deque(maxlen=max_rows)

    def record_trades(self, trades: Sequence[Trade]) -> None:
        """Add the trades that `Market.advance` returned."""
        for key, time_ms, price_paise, quantity in trades:
            self._trades[key].append(_TRADE.pack(time_ms, price_paise, quantity or _ABSENT))

    def record_sent(self, frame_type: FrameType, ts_ms: int, state: SimulatedState) -> None:
        """Add the state that a frame of time `ts_ms` contains; a repeated row is ignored."""
        is_live = frame_type == "live"
        instrument = state.instrument
        if instrument.is_index:
            quantities = (_ABSENT, _ABSENT, _ABSENT, _ABSENT)
        else:
            atp_paise = state.atp_paise()
            quantities = (
                state.ltq,
                state.vtt,
                _ABSENT if atp_paise is None else atp_paise,
                _ABSENT if instrument.expiry_ms is None else state.oi,
            )
        row = _SENT.pack(ts_ms, is_live, state.ltp_paise, state.ltt_ms, *quantities)
        rows = self._sent[instrument.key]
        if not rows or rows[-1] != row:
            rows.append(row)

    def sent(self, key: str, from_ms: int, to_ms: int) -> list[SentQuote]:
        """Quotes with `from_ms` <= ts < `to_ms`. Raises KeyError for an unknown key."""
        return [_sent_quote(row) for row in _between(self._sent[key], from_ms, to_ms)]

    def trades(self, key: str, from_ms: int, to_ms: int) -> list[LedgerTrade]:
        """Trades with `from_ms` <= time < `to_ms`. Raises KeyError for an unknown key."""
        return [_ledger_trade(row) for row in _between(self._trades[key], from_ms, to_ms)]


def _between(rows: Iterable[bytes], from_ms: int, to_ms: int) -> list[bytes]:
    return [row for row in rows if from_ms <= _TIME.unpack_from(row)[0] < to_ms]


def _ledger_trade(row: bytes) -> LedgerTrade:
    time_ms, price_paise, quantity = _TRADE.unpack(row)
    return LedgerTrade(time_ms, price_paise / 100, _or_none(quantity))


def _sent_quote(row: bytes) -> SentQuote:
    ts, is_live, ltp_paise, ltt, ltq, vtt, atp_paise, oi = _SENT.unpack(row)
    return SentQuote(
        kind="live" if is_live else "snapshot",
        ts=ts,
        ltp=ltp_paise / 100,
        ltt=ltt,
        ltq=_or_none(ltq),
        vtt=_or_none(vtt),
        atp=None if atp_paise == _ABSENT else atp_paise / 100,
        oi=_or_none(oi),
    )


def _or_none(value: int) -> int | None:
    return None if value == _ABSENT else value
