"""Bytes of the feed become Upstox's message, or a clear refusal."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upstox_client.feeder.proto import MarketDataFeedV3_pb2 as pb

from services.ingest.feed import wire


def test_market_status_is_told_by_upstox_names() -> None:
    message = pb.FeedResponse(type=pb.market_info)
    message.marketInfo.segmentStatus["NSE_EQ"] = pb.NORMAL_OPEN
    decoded = wire.decode(message.SerializeToString())
    assert decoded.type == wire.MARKET_INFO
    assert wire.segment_status(decoded) == {"NSE_EQ": "NORMAL_OPEN"}


def test_a_status_newer_than_our_schema_is_told_by_its_number() -> None:
    message = pb.FeedResponse(type=pb.market_info)
    message.marketInfo.segmentStatus["NSE_EQ"] = 42
    assert wire.segment_status(wire.decode(message.SerializeToString())) == {"NSE_EQ": "42"}


def test_a_truncated_frame_is_a_bad_frame() -> None:
    message = pb.FeedResponse(currentTs=1)
    message.feeds["NSE_EQ|X"].ltpc.ltp = 1.0
    with pytest.raises(wire.BadFrameError):
        wire.decode(message.SerializeToString()[:-3])


@given(st.binary(max_size=200))
def test_garbage_is_decoded_or_refused_but_never_crashes(data: bytes) -> None:
    with suppress(wire.BadFrameError):
        wire.decode(data)
