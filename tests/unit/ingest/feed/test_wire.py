"""A frame is decoded to Upstox's message, or refused with BadFrameError."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upstox_client.feeder.proto import MarketDataFeedV3_pb2 as pb

from services.ingest.feed import wire
from tests.support.builders import full_feed, greeks_feed, index_feed, ltpc_feed


def test_a_market_status_has_upstox_name() -> None:
    message = pb.FeedResponse(type=pb.market_info)
    message.marketInfo.segmentStatus["NSE_EQ"] = pb.NORMAL_OPEN
    decoded = wire.decode(message.SerializeToString())
    assert decoded.type == wire.MARKET_INFO
    assert wire.segment_status(decoded) == {"NSE_EQ": "NORMAL_OPEN"}


def test_a_status_newer_than_our_schema_is_a_number() -> None:
    message = pb.FeedResponse(type=pb.market_info)
    message.marketInfo.segmentStatus["NSE_EQ"] = 42
    assert wire.segment_status(wire.decode(message.SerializeToString())) == {"NSE_EQ": "42"}


def test_a_truncated_frame_is_a_bad_frame() -> None:
    message = pb.FeedResponse(currentTs=1)
    message.feeds["NSE_EQ|X"].ltpc.ltp = 1.0
    with pytest.raises(wire.BadFrameError):
        wire.decode(message.SerializeToString()[:-3])


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_decoded_or_refused(data: bytes) -> None:
    with suppress(wire.BadFrameError):
        wire.decode(data)


@pytest.mark.parametrize(
    ("feed", "field"),
    [
        (full_feed(ltp=1.0), "fullFeed"),
        (index_feed(ltp=1.0, ltt=1), "fullFeed"),
        (greeks_feed(vtt=1), "firstLevelWithGreeks"),
        (ltpc_feed(ltp=1.0), "ltpc"),
    ],
)
def test_a_feed_has_only_the_field_of_its_mode(feed: object, field: str) -> None:
    fields = ("fullFeed", "firstLevelWithGreeks", "ltpc")
    assert [name for name in fields if wire.has_field(feed, name)] == [field]


def test_fields_of_inner_messages_are_found_too() -> None:
    assert wire.has_field(full_feed(ltp=1.0).fullFeed, "marketFF")
    assert wire.has_field(index_feed(ltp=1.0, ltt=1).fullFeed, "indexFF")
    option, share = full_feed(iv=0.1, delta=0.5).fullFeed.marketFF, full_feed().fullFeed.marketFF
    assert wire.has_field(option, "optionGreeks")
    assert not wire.has_field(share, "optionGreeks")
    first = greeks_feed(first=(1.0, 2, 3.0, 4)).firstLevelWithGreeks
    assert wire.has_field(first, "firstDepth")


def test_an_order_book_survives_encoding_without_its_empty_levels() -> None:
    market = full_feed(book=[(1.0, 10, 2.0, 20), (0.9, 5, 0.0, 0)]).fullFeed.marketFF
    packed = wire.encode_levels(market.marketLevel)
    assert wire.decode_levels(packed) == ([(1.0, 10), (0.9, 5)], [(2.0, 20)])


def test_greeks_survive_encoding() -> None:
    market = full_feed(iv=0.1, delta=0.5).fullFeed.marketFF
    greeks = wire.decode_greeks(wire.encode_greeks(market.optionGreeks))
    assert (greeks.delta, greeks.theta) == (0.5, 0.0)
