"""The loads of the benchmark of orders."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from bench.trading.market import LTP, BenchMarket
from bench.trading.users import User

_LIMIT: Final = LTP - 1
_PAUSE_SECS: Final = 0.05


async def one_after_another(user: User, count: int) -> list[float]:
    """Milliseconds of each order until its event, without any other order."""
    return [await user.timed_order(is_resting=number % 2 == 0) for number in range(count)]


async def at_rate(users: Sequence[User], count: int, per_sec: float) -> list[float]:
    """Milliseconds of each order from when it was due until its event.

    The users place orders in turn at a steady rate, whether or not earlier ones have ended.
    """
    begin = time.perf_counter() + _PAUSE_SECS

    async def order(number: int) -> float:
        due = begin + number / per_sec
        await asyncio.sleep(due - time.perf_counter())
        user = users[number % len(users)]
        is_resting = number // len(users) % 2 == 0
        return await user.timed_order(is_resting=is_resting, since=due)

    return await asyncio.gather(*(order(number) for number in range(count)))


async def as_fast_as_possible(users: Sequence[User], secs: float) -> float:
    """Orders per second while each user places the next order once the last one's event came."""
    deadline = time.perf_counter() + secs
    placed = 0

    async def keep_ordering(user: User) -> None:
        nonlocal placed
        is_resting = True
        while time.perf_counter() < deadline:
            await user.timed_order(is_resting=is_resting)
            is_resting = not is_resting
            placed += 1

    started = time.perf_counter()
    await asyncio.gather(*(keep_ordering(user) for user in users))
    return placed / (time.perf_counter() - started)


async def ticks_to_fills(users: Sequence[User], market: BenchMarket, count: int) -> list[float]:
    """Milliseconds from the publishing of a quote that crosses an order to the event of its fill."""
    latencies_ms = []
    for number in range(count):
        user = users[number % len(users)]
        order_id = await user.place(is_resting=True, price=f"{_LIMIT:.2f}")
        await user.wait_event(order_id, "order")
        await asyncio.sleep(_PAUSE_SECS)
        started = time.perf_counter()
        await market.quote(user.key, _LIMIT - 0.5)
        latencies_ms.append((await user.wait_event(order_id, "fill") - started) * 1_000)
    return latencies_ms
