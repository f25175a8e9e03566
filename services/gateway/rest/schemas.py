"""What is answered by REST, field by field, as the OpenAPI document describes it.

Bars, gaps, instruments and quotes go out as the very bytes that the persister and ingest
have encoded; these models describe them, and a test holds them to the messages' own form.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.history import GapReason, GapState
from shared.contracts.messages import BarState, FeedState


class Schema(BaseModel):
    """The base of all answers. What is absent is unknown, never zero."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class HistoryBar(Schema):
    """One bar; prices in rupees, times in Unix milliseconds of exchange time."""

    start: int
    end: int
    """Exclusive. Bars of 1h begin a whole number of hours after the session's opening, those of
    1d at 00:00 IST; the session may end before the bar."""
    open: float
    high: float
    low: float
    close: float
    """The last traded price in the bar."""
    volume: int | None = None
    """Traded in the bar; an index has none."""
    oi: int | None = None
    """Open interest."""
    ticks: int
    """Quotes with a new trade that were seen."""
    state: BarState
    """`complete`; `repaired` from Upstox's candles; `partial`: a trade may be missing. Of a
    longer bar the least certain of its parts."""
    silent_ms: int = 0
    """For how long the feed was not live in the bar; 0 if absent."""


class Bars(Schema):
    """A page of bars, the oldest first."""

    key: str
    interval: Literal["5m", "15m", "1h", "1d"]
    bars: list[HistoryBar]
    next: str | None = None
    """Pass it as `cursor` for the next page; absent on the last."""


class Gap(Schema):
    """A stretch, in whole five-minute windows, in which trades may have been missed."""

    from_ms: int
    to_ms: int
    """Exclusive."""
    reason: GapReason
    state: GapState


class Gaps(Schema):
    """A page of gaps, the oldest first."""

    key: str
    gaps: list[Gap]
    next: str | None = None
    """Pass it as `cursor` for the next page; absent on the last."""


class Instrument(Schema):
    """One instrument of Upstox's master; prices in rupees."""

    key: str
    symbol: str
    name: str
    segment: str
    exchange: str
    type: str
    """`EQ`, `INDEX`, `FUT`, `CE`, `PE` and others, as Upstox has it."""
    isin: str | None = None
    lot_size: int | None = None
    tick_size: float | None = None
    freeze_quantity: float | None = None
    expiry: str | None = None
    """`YYYY-MM-DD`."""
    strike: float | None = None
    underlying_key: str | None = None
    underlying_symbol: str | None = None


class Instruments(Schema):
    """What was found."""

    instruments: list[Instrument]
    """Best first, or in the order of `keys`."""
    unknown: list[str] | None = None
    """Those of `keys` that are no instruments."""


class Quote(Schema):
    """The whole state of an instrument when it was told last."""

    key: str
    epoch: int
    seq: int
    """Counts the quotes of this instrument within the epoch."""
    ts: int
    """Feed time, Unix milliseconds."""
    rt: int
    """When we received it, Unix microseconds."""
    ltt: int | None = None
    """Last trade time."""
    ltp: float | None = None
    """Last traded price."""
    ltq: int | None = None
    """Last traded quantity."""
    cp: float | None = None
    """Previous close."""
    volume: int | None = None
    """Cumulative volume of the day."""
    atp: float | None = None
    """Average traded price of the day."""
    oi: int | None = None
    bid: float | None = None
    bid_qty: int | None = None
    ask: float | None = None
    ask_qty: int | None = None
    tbq: int | None = None
    """Total buy quantity in the book."""
    tsq: int | None = None
    """Total sell quantity in the book."""
    snap: bool = False
    """True if it came from a snapshot of the feed."""


class NoQuote(StrEnum):
    """Why no quote of an instrument is known."""

    NOT_FOLLOWED = "not_followed"
    """Nobody has asked for it yet, or nothing has come since; subscribe to it on the stream."""
    NO_CAPACITY = "no_capacity"
    """The feed is full."""
    UNKNOWN = "unknown"
    """Upstox tells nothing of it."""


class Quotes(Schema):
    """The last known quotes, in the order of `keys`."""

    quotes: list[Quote]
    missing: dict[str, NoQuote]
    """Of which keys no quote is known, and why: `not_followed` (nobody has asked for it; subscribe
    to it on the stream), `no_capacity` (the feed is full), `unknown` (Upstox does not tell it)."""


class Feed(Schema):
    """The market-data connection, as ingest has told of it last."""

    state: FeedState
    since: int
    """When this state began, Unix milliseconds of our clock."""
    epoch: int
    segments: dict[str, str] = {}
    """Market status by segment, in Upstox's words, e.g. `NORMAL_OPEN`."""
    detail: str = ""
    stale: list[str] = []
    """Live instruments that have been silent for long while their segment trades."""


class GatewayStatus(Schema):
    """The gateway that answers."""

    ready: bool
    waiting_for: dict[str, str]
    """What it needs and does not have, and why."""
    streams: int
    """Open WebSocket streams."""
    instruments: int
    """Instruments of which a quote is known."""


class Status(Schema):
    """How things stand."""

    now: int
    """Our clock, Unix milliseconds."""
    feed: Feed | None = None
    """Absent until ingest has said something."""
    feed_told_secs_ago: Annotated[float, Field(ge=0)] | None = None
    """Ingest speaks every two seconds: what is much older is only the last that was known."""
    feed_is_current: bool
    """Whether `feed` was told a short while ago."""
    gateway: GatewayStatus
