"""Measures orders from REST to their event, beside the official SDK: ``make bench-trading``.

nats-server, mongod, trading, the gateway and the simulator are processes of their own. This
process has the users, and publishes the quotes.
"""

import asyncio
import math
from typing import Final

from bench.harness import report_lines
from bench.trading.load import as_fast_as_possible, at_rate, one_after_another, ticks_to_fills
from bench.trading.sdk import timed_sdk_orders
from bench.trading.stack import Stack, running_stack
from bench.trading.users import User, connected_users

USERS: Final = 500
SOME_USERS: Final = 50
AT_ONCE: Final = 64
ORDERS: Final = 400
ROUNDS: Final = 4
ORDERS_PER_SEC: Final = 50.0
FASTEST_SECS: Final = 10.0
FILLS: Final = 200
_WARM_UP: Final = 40


def quantile(values: list[float], share: float) -> float:
    """A quantile by the nearest-rank method."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


async def measure(stack: Stack, users: list[User]) -> dict[str, float]:
    """Run all loads; returns the figures."""
    await one_after_another(users[0], _WARM_UP)
    await timed_sdk_orders(stack.simulator_url, _WARM_UP)
    single: list[float] = []
    sdk: list[float] = []
    for _ in range(ROUNDS):  # in turn, so that other load of the machine affects both
        single += await one_after_another(users[0], ORDERS // ROUNDS)
        sdk += await timed_sdk_orders(stack.simulator_url, ORDERS // ROUNDS)
    some = await at_rate(users[:SOME_USERS], ORDERS, ORDERS_PER_SEC)
    every = await at_rate(users, 2 * USERS, 2 * ORDERS_PER_SEC)
    before = stack.cpu_secs()
    per_sec = await as_fast_as_possible(users[:AT_ONCE], FASTEST_SECS)
    placed = per_sec * FASTEST_SECS
    spent = {name: secs - before[name] for name, secs in stack.cpu_secs().items()}
    fills = await ticks_to_fills(users, stack.market, FILLS)
    return {
        "place_p50_ms": quantile(every, 0.5),
        "place_p99_ms": quantile(every, 0.99),
        "place_p50_ms_1": quantile(single, 0.5),
        "place_p99_ms_1": quantile(single, 0.99),
        "place_p50_ms_50": quantile(some, 0.5),
        "place_p99_ms_50": quantile(some, 0.99),
        "sdk_p50_ms": quantile(sdk, 0.5),
        "sdk_p99_ms": quantile(sdk, 0.99),
        "orders_per_s": per_sec,
        "tick_to_fill_p50_ms": quantile(fills, 0.5),
        "tick_to_fill_p99_ms": quantile(fills, 0.99),
        "gateway_cpu_s_per_1000": spent["gateway"] / placed * 1_000,
        "trading_cpu_s_per_1000": spent["trading"] / placed * 1_000,
    }


async def run() -> None:
    """Measure and print the figures."""
    async with (
        running_stack() as stack,
        connected_users(stack.url, stack.issuer, USERS) as users,
    ):
        figures = await measure(stack, users)
    report_lines("trading", figures)


if __name__ == "__main__":
    asyncio.run(run())
