"""The response bodies of the operations on market data, for the OpenAPI document.

Bars, gaps and instruments are relayed as the persister encoded them. These models describe them; a
test compares the models with the messages' own types. Quotes are described by their own class.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from services.gateway.rest.market import option_chain
from services.gateway.rest.message_schema import RELAYED, model_of
from services.gateway.rest.models import Schema
from shared.contracts.history import BarSource, GapReason, GapState, HistoryBarState
from shared.contracts.messages import FeedState, Quote


class HistoryBar(Schema):
    """One bar; prices in rupees, times in Unix milliseconds of exchange time."""

    start: int
    end: int
    """Exclusive. Bars of 1h begin a whole number of hours after the session's open, bars of 1d
    at 00:00 IST; the session may end before the bar."""
    open: float
    high: float
    low: float
    close: float
    """The last traded price in the bar."""
    ticks: int
    """Received quotes with a new trade."""
    state: HistoryBarState
    """`complete`; `repaired`: made from Upstox's candles; `partial`: a trade may be missing. A
    longer bar is `forming` until exchange time has passed its `end`, and then has the least certain
    state of its parts; a gap that is not repaired makes it `partial`."""
    ltq: int | None = None
    """Last traded quantity, from the last quote with a trade of the last five-minute bar, like
    `ltt`, `atp` and `oi`."""
    ltt: int | None = None
    """Last trade time."""
    volume: int | None = None
    """Traded quantity in the bar; absent for an index."""
    vtt: int | None = None
    """Cumulative volume of the day at the bar's last trade; absent for an index."""
    atp: float | None = None
    """Average traded price of the day."""
    oi: int | None = None
    """Open interest."""
    silent_ms: int = 0
    """Time in the bar for which the feed was not live, in milliseconds."""
    source: BarSource | None = None
    """`upstox`: one of Upstox's candles, unchanged, with volume and open interest only."""


class Unfetched(Schema):
    """A part of the range whose bars are being fetched from Upstox."""

    from_ms: int
    to_ms: int
    """Exclusive."""


class Bars(Schema):
    """A page of bars, the oldest first."""

    key: str
    interval: Literal["1m", "3m", "5m", "15m", "30m", "1h", "1d"]
    unfetched: Unfetched | None = None
    """The page lacks the bars of this time that are not fetched from Upstox yet. If there is a
    `next`, that page waits for them; otherwise Upstox is away: ask again later."""
    bars: list[HistoryBar]
    next: str | None = None
    """The `cursor` of the next page; absent on the last page. A page may be empty and have one."""


class Gap(Schema):
    """A period of whole five-minute windows in which trades may have been missed."""

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
    """The `cursor` of the next page; absent on the last page."""


class Instrument(Schema):
    """One instrument of Upstox's master; prices in rupees."""

    key: str
    symbol: str
    name: str
    segment: str
    exchange: str
    type: str
    """`EQ`, `INDEX`, `FUT`, `CE`, `PE` and others, in Upstox's notation."""
    isin: str | None = None
    lot_size: int | None = None
    tick_size: float | None = None
    freeze_quantity: float | None = None
    expiry: str | None = None
    """`YYYY-MM-DD`."""
    strike: float | None = None
    underlying_key: str | None = None
    underlying_symbol: str | None = None
    multiplier: int | None = None
    """Price units in one unit of quantity; above 1 for commodities, whose unit is a lot."""
    has_derivatives: bool = False
    """Whether there are futures or options on this instrument."""


class Instruments(Schema):
    """The instruments that match."""

    instruments: list[Instrument]
    """Best match first, or in the order of `keys`."""
    unknown: list[str] | None = None
    """The `keys` that are not instruments."""


class Reference(Schema):
    """Reference data of the day; prices in rupees."""

    taken_at: int
    """When it was read, Unix milliseconds. It is read once a day, and again before the price of an
    order is refused."""
    lower_circuit: float | None = None
    """Lower end of the price band."""
    upper_circuit: float | None = None
    """Upper end of the price band."""
    previous_close: float | None = None
    year_high: float | None = None
    year_low: float | None = None


class InstrumentDetail(Schema):
    """One instrument with its reference data of the day."""

    instrument: Instrument
    reference: Reference | None = None
    """Absent if Upstox does not tell it at the moment."""


class NoQuote(StrEnum):
    """The reason why an instrument has no quote."""

    NOT_FOLLOWED = "not_followed"
    """No client subscribes to it, or no quote has arrived yet; subscribe to it on the stream."""
    NO_CAPACITY = "no_capacity"
    """The feed is full."""
    UNKNOWN = "unknown"
    """Upstox sends nothing for it."""


class Quotes(Schema):
    """The last known quotes, in the order of `keys`."""

    quotes: list[Annotated[Quote, RELAYED]]
    missing: dict[str, NoQuote]
    """Keys without a quote, with the reason: `not_followed` (no client subscribes to it; subscribe
    to it on the stream), `no_capacity` (the feed is full), `unknown` (Upstox sends nothing for it)."""


OptionChain = model_of(option_chain.OptionChain)


class Feed(Schema):
    """The state of the market-data connection, as ingest reported it last."""

    state: FeedState
    since: int
    """Time at which this state began, Unix milliseconds of ingest's clock."""
    epoch: int
    segments: dict[str, str] = Field(default={})
    """Market status by segment, in Upstox's notation, e.g. `NORMAL_OPEN`."""
    detail: str = ""
    at: int | None = None
    """Time at which ingest published this, Unix milliseconds of ingest's clock."""
    simulated: bool | None = None
    """Whether the prices come from a simulator, not from the market."""
    stale: list[str] = Field(default=[])
    """Live instruments without an update for a long time while their segment trades."""


class GatewayStatus(Schema):
    """The state of the gateway that answers."""

    ready: bool
    waiting_for: dict[str, str]
    """Missing dependencies, each with the reason."""
    streams: int
    """Open WebSocket streams."""
    instruments: int
    """Instruments with a last quote."""


class Status(Schema):
    """The state of the feed and of the gateway."""

    now: int
    """The gateway's clock, Unix milliseconds."""
    feed: Feed | None = None
    """Absent until ingest has published a status."""
    feed_told_secs_ago: Annotated[float, Field(ge=0)] | None = None
    """Age of `feed`. Ingest publishes it every two seconds: an older one is outdated."""
    feed_is_current: bool
    """Whether `feed` is less than six seconds old."""
    gateway: GatewayStatus
