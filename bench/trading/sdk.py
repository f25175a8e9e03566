"""The official SDK of Upstox places the same orders with the simulator."""

import time
from typing import Any, Final

import upstox_client

from services.simulator.settings import SIMULATED_TOKEN
from tests.support.sdk import SDK_SECS, sdk_call

_KEY: Final = "NSE_EQ|INE002A01018"


async def timed_sdk_orders(url: str, count: int) -> list[float]:
    """Milliseconds that each call of `place_order` took, one call after the other.

    Every other order is a limit order far below the market. The simulator only keeps orders in
    memory, and a call ends before there is any event.
    """

    def work(client: Any) -> list[float]:
        api = upstox_client.OrderApiV3(client)
        latencies_ms = []
        for number in range(count):
            body = _order(number)
            started = time.perf_counter()
            api.place_order(body, _request_timeout=SDK_SECS)
            latencies_ms.append((time.perf_counter() - started) * 1_000)
        return latencies_ms

    return await sdk_call(url, SIMULATED_TOKEN, work)  # type: ignore[no-any-return]


def _order(number: int) -> Any:
    is_resting = number % 2 == 0
    return upstox_client.PlaceOrderV3Request(
        quantity=1,
        product="I",
        validity="DAY",
        price=1_300.0 if is_resting else 0.0,
        instrument_token=_KEY,
        order_type="LIMIT" if is_resting else "MARKET",
        transaction_type="BUY" if number % 4 < 2 or is_resting else "SELL",
        disclosed_quantity=0,
        trigger_price=0.0,
        is_amo=False,
    )
