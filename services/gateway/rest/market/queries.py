"""The query parameters of the operations on market data."""

from collections.abc import Iterable
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
)

from services.gateway.rest.market.moments import Moment
from services.gateway.rest.models import Input, Key
from shared.contracts.history import (
    MAX_BARS,
    MAX_CURSOR_CHARS,
    MAX_GAPS,
    MAX_TIME_MS,
    BarsRequest,
    CandleInterval,
    CandlesRequest,
    GapsRequest,
    Interval,
)
from shared.contracts.instruments import (
    MAX_KEYS,
    MAX_RESULTS,
    DetailRequest,
    GetRequest,
    SearchRequest,
)
from shared.contracts.option_chains import OptionsRequest

T = TypeVar("T")


def _split_at_commas(values: object) -> object:
    if not isinstance(values, list):
        return values
    return [part for value in values for part in str(value).split(",")]


def _has_word(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("must contain a word, and printable characters only")
    return text


Keys = Annotated[
    list[Key], BeforeValidator(_split_at_commas), Field(min_length=1, max_length=MAX_KEYS)
]
Word = Annotated[str, Field(min_length=1, max_length=32, pattern="^[A-Za-z0-9_-]+$")]
Expiry = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Words = Annotated[list[Word], BeforeValidator(_split_at_commas), Field(max_length=16)]
Cursor = Annotated[str, Field(max_length=MAX_CURSOR_CHARS, pattern="^[A-Za-z0-9._~-]+$")]


class RangeQuery(Input):
    """A time range of one instrument; `from` is inclusive, `to` exclusive."""

    key: Key
    """Upstox's instrument key, e.g. `NSE_EQ|INE002A01018`."""
    from_ms: Annotated[Moment, Field(alias="from")]
    """Unix milliseconds, a date (00:00 IST), or a time with its offset."""
    to_ms: Annotated[Moment | None, Field(alias="to")] = None
    """As `from`; if absent, there is no upper limit."""
    cursor: Cursor | None = None
    """`next` of the previous page. All other parameters must be the same, except `limit`."""

    @property
    def end_ms(self) -> int:
        """The end of the range for the persister: `to_ms`, or the latest valid time."""
        return MAX_TIME_MS if self.to_ms is None else self.to_ms

    @field_validator("to_ms")
    @classmethod
    def _is_later(cls, to_ms: int | None, info: ValidationInfo) -> int | None:
        if to_ms is not None and to_ms <= info.data.get("from_ms", -1):
            raise ValueError("must be later than `from`")
        return to_ms


class BarsQuery(RangeQuery):
    """Bars that start in a range, the oldest first. Each is whole, even if it ends after `to`."""

    interval: Literal["1m", "3m", "5m", "15m", "30m", "1h", "1d"] = "5m"
    """The length of a bar. Bars of 15m, 1h and 1d are aggregated from five-minute bars; those of
    1m, 3m and 30m are Upstox's candles, read on request."""
    limit: Annotated[int, Field(ge=1, le=MAX_BARS)] = 500
    """Maximum number of bars on a page."""

    @property
    def bars_end_ms(self) -> int:
        """Time by which every bar of the range has ended."""
        return self.end_ms + self._interval.length_ms

    @property
    def _interval(self) -> Interval | CandleInterval:
        stored = self.interval in frozenset(Interval)
        return Interval(self.interval) if stored else CandleInterval(self.interval)

    def request(self) -> BarsRequest | CandlesRequest:
        """The request to the persister."""
        interval = self._interval
        if isinstance(interval, CandleInterval):
            return CandlesRequest(
                key=self.key,
                from_ms=self.from_ms,
                to_ms=self.end_ms,
                interval=interval,
                limit=self.limit,
                cursor=self.cursor,
            )
        return BarsRequest(
            key=self.key,
            from_ms=self.from_ms,
            to_ms=self.end_ms,
            interval=interval,
            limit=self.limit,
            cursor=self.cursor,
        )


class GapsQuery(RangeQuery):
    """Gaps that overlap a range, the oldest first."""

    limit: Annotated[int, Field(ge=1, le=MAX_GAPS)] = 100
    """Maximum number of gaps on a page."""

    def request(self) -> GapsRequest:
        """The request to the persister."""
        return GapsRequest(
            key=self.key,
            from_ms=self.from_ms,
            to_ms=self.end_ms,
            limit=self.limit,
            cursor=self.cursor,
        )


class InstrumentsQuery(Input):
    """Instruments that match words (`q`), or those with given keys (`keys`)."""

    q: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_has_word)] | None = None
    """Symbol, name, ISIN or part of a contract: `reliance`, `nifty 24000 ce`. Best match first."""
    keys: Annotated[Keys | None, Field(validate_default=True)] = None
    """Instrument keys, repeated or separated by commas, instead of `q`."""
    type: Words = Field(default=[])
    """Only of these types: `EQ`, `INDEX`, `FUT`, `CE`, `PE` and others."""
    segment: Words = Field(default=[])
    """Only of these segments: `NSE_EQ`, `NSE_FO`, `NSE_INDEX`, `MCX_FO` and others."""
    expiry: Expiry | None = None
    """Only contracts that expire on this date, `YYYY-MM-DD`."""
    limit: Annotated[int, Field(ge=1, le=MAX_RESULTS)] = 20
    """Maximum number of instruments that match `q`."""

    @field_validator("keys")
    @classmethod
    def _has_exactly_one(cls, keys: list[str] | None, info: ValidationInfo) -> list[str] | None:
        if "q" in info.data and (info.data["q"] is None) == (keys is None):
            raise ValueError("give either `q`, the words to search for, or `keys`")
        return keys

    @field_validator("type", "segment", "expiry", "limit")
    @classmethod
    def _needs_search(cls, value: T, info: ValidationInfo) -> T:
        if info.data.get("keys") is not None:
            raise ValueError("applies to a search by `q`, and cannot be combined with `keys`")
        return value

    def request(self) -> SearchRequest | GetRequest:
        """The request to the persister."""
        if self.keys is not None:
            return GetRequest(keys=unique(self.keys))
        return SearchRequest(
            query=self.q or "",
            types=self.type,
            segments=self.segment,
            expiry=self.expiry,
            limit=self.limit,
        )


class InstrumentPath(Input):
    """The path of an instrument."""

    key: Key
    """Instrument key, percent-encoded: `NSE_EQ%7CINE002A01018`."""

    def request(self) -> DetailRequest:
        """The request to the persister."""
        return DetailRequest(key=self.key)


class OptionChainQuery(Input):
    """The options on an underlying that expire on one day."""

    underlying: Key
    """Instrument key of an index, a share or a future."""
    expiry: Expiry | None = None
    """`YYYY-MM-DD`; by default the nearest."""

    def request(self) -> OptionsRequest:
        """The request to the persister."""
        return OptionsRequest(underlying=self.underlying, expiry=self.expiry)


class QuotesQuery(Input):
    """Last known quotes."""

    keys: Keys
    """Instrument keys, repeated or separated by commas."""


def unique(keys: Iterable[str]) -> list[str]:
    """`keys` without repetitions, in the same order."""
    return list(dict.fromkeys(keys))
