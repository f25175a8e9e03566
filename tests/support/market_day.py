"""A small, regular market for tests of the persister."""

from shared.contracts.messages import ClockTick, FeedState, Quote, encode
from shared.contracts.subjects import CLOCK, quote_subject
from shared.market.exchange_time import WINDOW_MS
from tests.support.builders import KEY, MONDAY_10_00, quote

KEYS = (KEY, "NSE_EQ|INE467B01029")
Message = tuple[str, bytes]


def window_messages(number: int) -> list[Message]:
    """The messages of ingest in the window `number` after MONDAY_10_00: a clock tick each 5 s, and a
    trade of each key each 30 s.
    """
    messages: list[Message] = []
    start = MONDAY_10_00 + number * WINDOW_MS
    for step in range(60):
        ts = start + step * 5_000
        if step % 6 == 0:
            messages += [_quote(key, ts, number * 60 + step) for key in KEYS]
        tick = ClockTick(ts=ts, feed_ts=ts, epoch=1, seq=0, state=FeedState.LIVE)
        messages.append((CLOCK, encode(tick)))
    return messages


def _quote(key: str, ts: int, count: int) -> Message:
    built: Quote = quote(
        key=key, ts=ts, ltt=ts - (count == 0), ltp=1_000 + count * 7 % 50 / 20, ltq=60,
        volume=1_000 + 10 * count, snap=count == 0,
    )  # fmt: skip
    return quote_subject(key), encode(built)
