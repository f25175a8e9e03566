"""Encoding of the feed's messages. No other module of ingest uses protobuf.

`has_field` and the `encode_` functions run for every tick. They are methods of protobuf's
classes, because the lookup of a method on a message takes twice as long as the call itself.
In protobuf's C implementation (upb) all message classes share one `HasField`.
"""

from collections.abc import Callable
from typing import Any, Final

from google.protobuf.message import DecodeError
from upstox_client.feeder.proto import MarketDataFeedV3_pb2

from services.ingest.feed.wire_types import FeedResponse, MarketLevel, OptionGreeks
from shared.contracts.messages import Greeks, Levels

INITIAL_FEED: Final[int] = MarketDataFeedV3_pb2.initial_feed
LIVE_FEED: Final[int] = MarketDataFeedV3_pb2.live_feed
MARKET_INFO: Final[int] = MarketDataFeedV3_pb2.market_info

_parse: Final[Callable[[bytes], FeedResponse]] = MarketDataFeedV3_pb2.FeedResponse.FromString
_parse_levels: Final[Callable[[bytes], MarketLevel]] = MarketDataFeedV3_pb2.MarketLevel.FromString
_parse_greeks: Final[Callable[[bytes], OptionGreeks]] = MarketDataFeedV3_pb2.OptionGreeks.FromString
_market_status: Final = MarketDataFeedV3_pb2.MarketStatus

has_field: Final[Callable[[object, str], bool]] = MarketDataFeedV3_pb2.Feed.HasField
"""Whether a message has its message field of that name."""
encode_levels: Final[Callable[[MarketLevel], bytes]] = (
    MarketDataFeedV3_pb2.MarketLevel.SerializeToString
)
encode_greeks: Final[Callable[[OptionGreeks], bytes]] = (
    MarketDataFeedV3_pb2.OptionGreeks.SerializeToString
)


class BadFrameError(ValueError):
    """The bytes are not a message of the feed."""


def decode(data: bytes) -> FeedResponse:
    """Decode a frame. Raises BadFrameError if `data` is not a FeedResponse."""
    try:
        return _parse(data)
    except DecodeError as error:
        raise BadFrameError(str(error)) from None


def segment_status(response: FeedResponse) -> dict[str, str]:
    """The status of each market segment in a MARKET_INFO message, by Upstox's names.

    A status that is newer than our schema is given as its number.
    """
    names: Any = _market_status.DESCRIPTOR.values_by_number
    return {
        segment: names[value].name if value in names else str(value)
        for segment, value in response.marketInfo.segmentStatus.items()
    }


def decode_levels(data: bytes) -> tuple[Levels, Levels]:
    """Bids and asks of an encoded MarketLevel, without levels that have no quantity."""
    levels = _parse_levels(data).bidAskQuote
    bids = [(level.bidP, level.bidQ) for level in levels if level.bidQ]
    asks = [(level.askP, level.askQ) for level in levels if level.askQ]
    return bids, asks


def decode_greeks(data: bytes) -> Greeks:
    """The Greeks of an encoded OptionGreeks."""
    greeks = _parse_greeks(data)
    return Greeks(
        delta=greeks.delta, theta=greeks.theta, gamma=greeks.gamma, vega=greeks.vega, rho=greeks.rho
    )
