"""Stored bars are published as long as the bus takes them."""

from typing import cast

import msgspec
import pytest
from nats.errors import ConnectionClosedError

from services.persister.bar_publisher import BarPublisher
from shared.bus.connection import Bus
from shared.contracts.messages import Bar, BarState
from shared.market.exchange_time import WINDOW_MS
from tests.support.builders import KEY, MONDAY_10_00

BARS = [
    Bar(
        key=KEY, start=MONDAY_10_00 + number * WINDOW_MS, open=1.0, high=2.0, low=0.5, close=1.5,
        ltq=None, ltt=None, volume=7, vtt=7, atp=None, oi=None, ticks=3, state=BarState.COMPLETE,
        silent_ms=0, epoch=1,
    )
    for number in range(3)
]  # fmt: skip


class FakeBus:
    """Takes every message, or raises `then` after two of them."""

    def __init__(self, *, then: Exception | None = None, can_publish: bool = True) -> None:
        self.client = self
        self.messages: list[tuple[str, Bar]] = []
        self.can_publish = can_publish
        self._then = then

    async def publish(self, subject: str, data: bytes) -> None:
        if len(self.messages) == 2 and self._then is not None:
            raise self._then
        self.messages.append((subject, msgspec.json.decode(data, type=Bar)))


async def test_each_bar_is_published_on_the_subject_of_its_instrument() -> None:
    bus = FakeBus()
    await BarPublisher(cast("Bus", bus)).publish(BARS)
    assert bus.messages == [("md.bar.5m.NSE_EQ.INE002A01018", bar) for bar in BARS]


@pytest.mark.parametrize("error", [ConnectionClosedError(), OSError("broken pipe")])
async def test_bars_are_dropped_once_publishing_fails(error: Exception) -> None:
    bus = FakeBus(then=error)
    await BarPublisher(cast("Bus", bus)).publish(BARS)
    assert [bar for _, bar in bus.messages] == BARS[:2]


async def test_nothing_is_published_while_nats_is_unavailable() -> None:
    bus = FakeBus(can_publish=False)
    await BarPublisher(cast("Bus", bus)).publish(BARS)
    assert bus.messages == []
