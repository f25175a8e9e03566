"""Waiting for market data: for a first price, and while the feed's leader is replaced."""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.trading.partition.prices import Prices
from shared.errors import OrderRefused
from tests.support.builders import KEY
from tests.support.virtual_time import LoopClock, run_virtual

WAIT_SECS = 2.0


@dataclass
class FakeBroker:
    is_live: bool = True
    prices: dict[str, Decimal] = field(default_factory=lambda: {KEY: Decimal(1_400)})

    def ltp(self, key: str) -> Decimal | None:
        return self.prices.get(key)

    def keys(self) -> list[str]:
        return []


@dataclass
class FakeLedger:
    broker: FakeBroker

    @property
    def is_feed_live(self) -> bool:
        return self.broker.is_live

    def held_keys(self) -> list[str]:
        return []


def prices_of(broker: FakeBroker) -> Prices:
    return Prices(cast("Any", FakeLedger(broker)), LoopClock(), wait_secs=WAIT_SECS)


async def waited_secs(broker: FakeBroker, *, lost_before_secs: float, back_secs: float) -> float:
    """How long an order waits that comes some time after the feed was lost."""
    loop = asyncio.get_running_loop()
    prices = prices_of(broker)
    demand = SimpleNamespace(want=lambda *_: None)
    running = asyncio.create_task(prices.run(cast("Any", demand)))
    await asyncio.sleep(1.0)
    broker.is_live = False
    loop.call_later(back_secs, setattr, broker, "is_live", True)
    await asyncio.sleep(lost_before_secs)
    began_at = loop.time()
    await prices.wait_for(KEY)
    running.cancel()
    return loop.time() - began_at


@pytest.mark.parametrize(
    ("lost_before_secs", "back_secs", "expected_secs"),
    [
        (0.2, 0.7, 0.5),  # the leader of ingest is replaced
        (0.2, 60.0, WAIT_SECS - 0.2),  # an outage, to be refused as such
        (10.0, 60.0, 0.0),  # an outage that is known
    ],
)
def test_an_order_waits_for_a_feed_that_was_live_a_moment_ago(
    lost_before_secs: float, back_secs: float, expected_secs: float
) -> None:
    waited = waited_secs(FakeBroker(), lost_before_secs=lost_before_secs, back_secs=back_secs)
    assert run_virtual(waited) == pytest.approx(expected_secs, abs=0.08)


def test_an_order_for_an_instrument_without_a_price_is_refused() -> None:
    async def main() -> str:
        with pytest.raises(OrderRefused) as refusal:
            await prices_of(FakeBroker(prices={})).wait_for(KEY)
        return refusal.value.members["rule"]

    assert run_virtual(main()) == "price_known"


def test_an_order_waits_for_the_first_price_of_its_instrument() -> None:
    async def main() -> float:
        broker = FakeBroker(prices={})
        loop = asyncio.get_running_loop()
        loop.call_later(0.5, broker.prices.update, {KEY: Decimal(1)})
        await prices_of(broker).wait_for(KEY)
        return loop.time()

    assert run_virtual(main()) == pytest.approx(0.5, abs=0.05)
