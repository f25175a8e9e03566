"""Instruments, bars of the past, last quotes and the state of the system, as REST has them. Pure.

A field that is None is unknown or does not apply, never zero. Times are Unix milliseconds.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from tradedad_client.messages import ChainRow, FeedStatus, Quote
from tradedad_client.times import in_india


class Instrument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One instrument of Upstox's master. Prices are exact, in rupees."""

    key: str
    symbol: str
    """Trading symbol, e.g. ``RELIANCE``, ``NIFTY 24000 CE 26 NOV 26``."""
    name: str
    segment: str
    """``NSE_EQ``, ``NSE_FO``, ``NSE_INDEX``, ``MCX_FO`` and others."""
    exchange: str
    type: str
    """``EQ``, ``INDEX``, ``FUT``, ``CE``, ``PE`` and others."""
    isin: str | None = None
    lot_size: int | None = None
    tick_size: Decimal | None = None
    freeze_quantity: Decimal | None = None
    expiry: str | None = None
    """``YYYY-MM-DD``."""
    strike: Decimal | None = None
    underlying_key: str | None = None
    underlying_symbol: str | None = None
    multiplier: int | None = None
    """Price units in one unit of quantity; above 1 for commodities, whose unit is a lot."""
    has_derivatives: bool = False
    """Whether there are futures or options on this instrument."""


class InstrumentList(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an answer with instruments."""

    instruments: list[Instrument]
    unknown: list[str] = []


class Reference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Reference data of the day. Prices are exact, in rupees."""

    taken_at: int
    """When it was read; once a day."""
    lower_circuit: Decimal | None = None
    """Lower end of the price band."""
    upper_circuit: Decimal | None = None
    """Upper end of the price band."""
    previous_close: Decimal | None = None
    year_high: Decimal | None = None
    year_low: Decimal | None = None


class InstrumentDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One instrument with its reference data of the day."""

    instrument: Instrument
    reference: Reference | None = None
    """None if Upstox does not tell it at the moment."""


class HistoryBar(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One bar of the past."""

    start: int
    end: int
    """Exclusive."""
    open: float
    high: float
    low: float
    close: float
    ltq: int | None = None
    """From the last quote with a trade, like `ltt`, `atp` and `oi`."""
    ltt: int | None = None
    volume: int | None = None
    """Traded quantity in the bar; None for an index."""
    vtt: int | None = None
    """Cumulative volume of the day at the bar's last trade; None for an index."""
    atp: float | None = None
    oi: int | None = None
    ticks: int
    """Received quotes with a new trade."""
    state: str
    """``complete``, ``partial`` (a trade may be missing), ``repaired`` (made from Upstox's candles)
    or ``forming`` (not over)."""
    silent_ms: int = 0
    """Time in the bar for which the feed was not live, in milliseconds."""
    source: str | None = None
    """``upstox``: one of Upstox's candles, unchanged."""

    @property
    def time(self) -> datetime:
        """The bar's start, in IST."""
        return in_india(self.start)


class Unfetched(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a range whose bars are being fetched from Upstox."""

    from_ms: int
    to_ms: int
    """Exclusive."""


class BarPage(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an answer with bars."""

    key: str
    interval: str
    bars: list[HistoryBar]
    unfetched: Unfetched | None = None
    next: str | None = None


class HistoryGap(msgspec.Struct, frozen=True, kw_only=True):
    """A period of whole five-minute windows in which trades may have been missed."""

    from_ms: int
    to_ms: int
    """Exclusive."""
    reason: str
    """``feed_away``, ``entries_lost`` or ``unseen_trades``."""
    state: str
    """``open`` (to be repaired), ``repaired``, or ``abandoned`` (Upstox has no such candles)."""


class GapPage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of an answer with gaps."""

    key: str
    gaps: list[HistoryGap]
    next: str | None = None


class OptionChain(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The options on an underlying that expire on one day, with what is known of their prices."""

    underlying: str
    """Instrument key."""
    expiry: str
    """``YYYY-MM-DD``."""
    expiries: list[str]
    """All days on which options on the underlying expire, the nearest first."""
    lot_size: int | None = None
    """None if unknown, or if the contracts differ."""
    ltp: float | None = None
    """Last traded price of the underlying."""
    rows: list[ChainRow]
    """Lowest strike first."""


class LastQuotes(msgspec.Struct, frozen=True, kw_only=True):
    """The last known quotes."""

    quotes: list[Quote]
    missing: dict[str, str]
    """Keys without a quote, with the reason: ``not_followed`` (no client subscribes to it: use
    `quotes`), ``no_capacity`` (the feed is full), ``unknown`` (Upstox sends nothing for it)."""


class GatewayStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the gateway that answered."""

    ready: bool
    waiting_for: dict[str, str]
    """Missing dependencies, each with the reason."""
    streams: int
    instruments: int
    """Instruments with a last quote."""


class SystemStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of the feed and of the gateway."""

    now: int
    """The gateway's clock."""
    feed: FeedStatus | None = None
    feed_told_secs_ago: float | None = None
    feed_is_current: bool
    """Whether the gateway receives the state of the feed. If not, prices may be outdated."""
    gateway: GatewayStatus
