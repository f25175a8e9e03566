"""The cache of candles holds its bound on bytes and the time of each entry."""

from datetime import date

from services.persister.history.candle_cache import CandleCache
from services.persister.history.spans import Span
from shared.contracts.history import CandleInterval
from tests.support.builders import KEY
from tests.support.virtual_time import LoopClock, on_virtual_time

MINUTES = CandleInterval.MINUTE


def span(day: int) -> Span:
    return Span(KEY, MINUTES, date(2026, 11, day), date(2026, 11, day + 1))


@on_virtual_time
async def test_the_entry_that_was_unused_for_longest_goes_first() -> None:
    cache = CandleCache(LoopClock(), max_bytes=5_000)
    for day in (1, 2, 3):
        cache.put(span(day), b"x" * 1_000, for_secs=60)
    assert cache.get(span(1)) is not None
    cache.put(span(4), b"x" * 1_000, for_secs=60)
    assert [cache.get(span(day)) is not None for day in (1, 2, 3, 4)] == [True, False, True, True]
    assert cache.size_bytes <= 5_000


@on_virtual_time
async def test_an_entry_ends_after_its_time() -> None:
    clock = LoopClock()
    cache = CandleCache(clock, max_bytes=5_000)
    cache.put(span(1), b"x", for_secs=3)
    await clock.sleep(2.9)
    assert cache.get(span(1)) == b"x"
    await clock.sleep(0.2)
    assert (cache.get(span(1)), cache.size_bytes) == (None, 0)


@on_virtual_time
async def test_an_entry_that_is_larger_than_the_cache_is_not_kept() -> None:
    cache = CandleCache(LoopClock(), max_bytes=2_000)
    cache.put(span(1), b"small", for_secs=60)
    cache.put(span(2), b"x" * 2_000, for_secs=60)
    assert (cache.get(span(1)), cache.get(span(2))) == (b"small", None)


@on_virtual_time
async def test_an_entry_that_is_put_again_replaces_itself() -> None:
    cache = CandleCache(LoopClock(), max_bytes=5_000)
    for text in (b"old", b"new"):
        cache.put(span(1), text, for_secs=60)
    size_bytes = cache.size_bytes
    cache.put(span(1), b"new", for_secs=60)
    assert (cache.get(span(1)), cache.size_bytes) == (b"new", size_bytes)
