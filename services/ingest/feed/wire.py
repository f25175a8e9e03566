"""Bytes of a frame to Upstox's own message; the only place that knows protobuf."""

from typing import Any, Final

from google.protobuf.message import DecodeError
from upstox_client.feeder.proto import MarketDataFeedV3_pb2

from shared.contracts.messages import Greeks, Levels

# The generated classes carry no types; the schema is in docs/upstox-feed.md.
FeedResponse = Any

INITIAL_FEED: Final[int] = MarketDataFeedV3_pb2.initial_feed
LIVE_FEED: Final[int] = MarketDataFeedV3_pb2.live_feed
MARKET_INFO: Final[int] = MarketDataFeedV3_pb2.market_info

_parse: Final = MarketDataFeedV3_pb2.FeedResponse.FromString
_parse_levels: Final = MarketDataFeedV3_pb2.MarketLevel.FromString
_parse_greeks: Final = MarketDataFeedV3_pb2.OptionGreeks.FromString
_market_status: Final = MarketDataFeedV3_pb2.MarketStatus


class BadFrameError(ValueError):
    """The bytes are no message of the feed."""


def decode(data: bytes) -> FeedResponse:
    """Raises BadFrameError if `data` is no FeedResponse."""
    try:
        return _parse(data)
    except DecodeError as error:
        raise BadFrameError(str(error)) from None


def segment_status(response: FeedResponse) -> dict[str, str]:
    """Status of each market segment, by Upstox's names; of a market_info message."""
    names = _market_status.DESCRIPTOR.values_by_number
    return {
        segment: names[value].name if value in names else str(value)
        for segment, value in response.marketInfo.segmentStatus.items()
    }


def levels(book: bytes) -> tuple[Levels, Levels]:
    """Bids and asks of an encoded MarketLevel; a level without a quantity is none."""
    quotes = _parse_levels(book).bidAskQuote
    bids = [(quote.bidP, quote.bidQ) for quote in quotes if quote.bidQ]
    asks = [(quote.askP, quote.askQ) for quote in quotes if quote.askQ]
    return bids, asks


def greeks(block: bytes) -> Greeks:
    """Of an encoded OptionGreeks."""
    told = _parse_greeks(block)
    return Greeks(
        delta=told.delta, theta=told.theta, gamma=told.gamma, vega=told.vega, rho=told.rho
    )
