"""Random frames of the feed: damaged bytes, and random values in every field."""

import random
from typing import Any, Final

from upstox_client.feeder.proto import MarketDataFeedV3_pb2 as pb

from services.ingest.feed import wire
from services.ingest.normalise.depth import depth_of
from services.ingest.normalise.instrument_state import encode_quote
from services.ingest.normalise.normaliser import Normaliser
from shared.contracts.messages import decode_candle, decode_depth, decode_quote, encode
from shared.market.exchange_time import day_start
from tests.fuzz.rounds import damaged, rounds
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY, full_feed

_ROUNDS: Final = 300
_DOUBLES: Final = (
    0.0, -0.0, 1.0, -1.0, 1_400.05, 1e9, 2.0**53, 2.0**63, 2.0**64, 1e300, -1e300, 5e-324,
    float("nan"), float("inf"), float("-inf"),
)  # fmt: skip
_INTEGERS: Final = (
    0, 1, -1, 7, 2**31, 2**53 - 1, 2**53, 2**63 - 1, -(2**63), MONDAY_10_00, MONDAY_10_00 * 1_000,
)  # fmt: skip


def _fields(source: random.Random) -> dict[str, Any]:
    """Random values of some fields; the others are good."""
    good: dict[str, Any] = {
        "ltp": 1_400.05, "ltt": MONDAY_10_00, "ltq": 3, "cp": 1_390.0, "vtt": 900, "atp": 1_395.5,
        "oi": 40.0, "tbq": 1_000.0, "tsq": 2_000.0, "iv": 0.2, "delta": 0.5,
        "iep": 1_401.0, "ieq": 500,
    }  # fmt: skip
    for name, value in good.items():
        if source.random() < 0.3:
            good[name] = source.choice(_DOUBLES if isinstance(value, float) else _INTEGERS)

    def double() -> float:
        return source.choice((*_DOUBLES, 1_399.0, 1_401.0))

    def integer() -> int:
        return source.choice(_INTEGERS)

    book = [(double(), integer(), double(), integer()) for _ in range(source.randrange(6))]
    minute = (integer(), double(), double(), double(), double(), integer())
    day = (source.choice((*_INTEGERS, day_start(MONDAY_10_00))), double(), double(), double())
    return good | {"book": book, "minute": minute, "day": day}


def _frame(source: random.Random) -> bytes:
    response = pb.FeedResponse(type=source.randrange(3), currentTs=source.choice(_INTEGERS))
    for key in (KEY, OTHER_KEY, "RELIANCE", "", "\x00|\x00", "x" * 500):
        if source.random() < 0.5:
            response.feeds[key].CopyFrom(full_feed(**_fields(source)))
    data: bytes = response.SerializeToString()
    return damaged(source, data) if source.random() < 0.5 else data


def test_no_frame_raises_and_everything_published_can_be_read() -> None:
    normaliser = Normaliser(epoch=9)
    for source in rounds(_ROUNDS):
        try:
            response = wire.decode(_frame(source))
        except wire.BadFrameError:
            continue
        wire.segment_status(response)
        merged = normaliser.apply(
            response.feeds, ts=MONDAY_10_00, received_us=7, snapshot=source.random() < 0.2
        )
        for instrument in merged.updated:
            decode_quote(encode_quote(instrument.quote))
            depth = depth_of(instrument)
            if depth is not None:
                decode_depth(encode(depth))
        for _, candle in merged.candles:
            decode_candle(encode(candle))
        good = full_feed(ltp=1_400.05, ltt=MONDAY_10_00, vtt=900)
        (instrument,) = normaliser.apply(
            {KEY: good}, ts=MONDAY_10_00, received_us=7, snapshot=False
        ).updated
        assert instrument.quote.ltp == 1_400.05
