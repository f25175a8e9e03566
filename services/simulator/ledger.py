"""The ledger of truth: what happened in the market, next to what the feed said of it."""

import struct
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from services.simulator.market.flows import Trade
from services.simulator.market.state import InstrumentState

Kind = Literal["snapshot", "live"]


class SentQuote(msgspec.Struct, frozen=True):
    """One instrument's state as a frame told it; fields as in Upstox's feed.

    Times are epoch ms, prices rupees; null is what the instrument does not have.
    """

    kind: Kind
    ts: int
    ltp: float
    ltt: int
    ltq: int | None
    vtt: int | None
    atp: float | None
    oi: int | None


class LedgerTrade(msgspec.Struct, frozen=True):
    """One trade: epoch ms, rupees; a value of an index has no quantity."""

    time_ms: int
    price: float
    quantity: int | None


# Packed, for a full ledger holds millions of rows: ts, live, ltp, ltt, ltq, vtt, atp, oi.
_SENT: Final = struct.Struct("<q?qqqqqq")
_TRADE: Final = struct.Struct("<qqq")
_TIME: Final = struct.Struct("<q")
_ABSENT: Final = -1


class Ledger:
    """Rows per instrument in the order of exchange time; at most `max_rows` of each sort."""

    def __init__(self, keys: Iterable[str], *, max_rows: int) -> None:
        self._sent: dict[str, deque[bytes]] = {}
        self._trades: dict[str, deque[bytes]] = {}
        for key in keys:
            self._sent[key] = deque(maxlen=max_rows)
            self._trades[key] = deque(maxlen=max_rows)

    def record_trades(self, trades: Sequence[Trade]) -> None:
        """Add what `Market.advance` returned."""
        for key, time_ms, price_paise, quantity in trades:
            self._trades[key].append(_TRADE.pack(time_ms, price_paise, quantity or _ABSENT))

    def record_sent(self, kind: Kind, ts_ms: int, state: InstrumentState) -> None:
        """Add the state that a frame of `ts_ms` tells; once, however many clients get it."""
        live = kind == "live"
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
        row = _SENT.pack(ts_ms, live, state.ltp_paise, state.ltt_ms, *quantities)
        rows = self._sent[instrument.key]
        if not rows or rows[-1] != row:
            rows.append(row)

    def sent(self, key: str, from_ms: int, to_ms: int) -> list[SentQuote]:
        """Quotes with `from_ms` <= ts < `to_ms`. Raises KeyError for an unknown key."""
        return [_sent_quote(row) for row in _between(self._sent[key], from_ms, to_ms)]

    def trades(self, key: str, from_ms: int, to_ms: int) -> list[LedgerTrade]:
        """Trades with `from_ms` <= time < `to_ms`. Raises KeyError for an unknown key."""
        found = []
        for row in _between(self._trades[key], from_ms, to_ms):
            time_ms, price_paise, quantity = _TRADE.unpack(row)
            found.append(LedgerTrade(time_ms, price_paise / 100, _or_none(quantity)))
        return found


def _between(rows: Iterable[bytes], from_ms: int, to_ms: int) -> list[bytes]:
    return [row for row in rows if from_ms <= _TIME.unpack_from(row)[0] < to_ms]


def _sent_quote(row: bytes) -> SentQuote:
    ts, live, ltp_paise, ltt, ltq, vtt, atp_paise, oi = _SENT.unpack(row)
    return SentQuote(
        kind="live" if live else "snapshot",
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
