"""The demand of a partition is published on change, repeated, and bounded. On virtual time."""

import asyncio
from typing import Any

import pytest
from nats.errors import ConnectionClosedError
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.trading.bus.demand_publisher import DemandPublisher
from shared.contracts.demand import (
    DEMAND_INTERVAL_SECS,
    DEMAND_TTL_SECS,
    MAX_KEYS,
    Demand,
    decode_demand,
)
from shared.errors import InvalidField
from shared.runtime.tasks import stop
from tests.support.builders import KEY, OTHER_KEY
from tests.support.virtual_time import on_virtual_time

SUBJECT = "demand.trading-3-owner"


class RecordingBus:
    """Keeps what is published, with the time."""

    def __init__(self) -> None:
        self.client = self
        self.can_publish = True
        self.error: Exception | None = None
        self.published: list[tuple[float, str, Demand]] = []

    async def publish(self, subject: str, data: bytes) -> None:
        if self.error is not None:
            raise self.error
        now_secs = asyncio.get_running_loop().time()
        self.published.append((now_secs, subject, decode_demand(data)))


def publisher_on(bus: RecordingBus, partition: int = 3) -> DemandPublisher:
    untyped: Any = bus
    return DemandPublisher(untyped, partition, "owner")


def undemanded(kind: str) -> float:
    labels = {"partition": "3", "kind": kind}
    return REGISTRY.get_sample_value("tradedad_trading_undemanded_instruments", labels) or 0.0


@on_virtual_time
async def test_the_demand_is_repeated_within_its_time_to_live_and_empty_at_the_end() -> None:
    bus = RecordingBus()
    publisher = publisher_on(bus)
    publisher.want([KEY, OTHER_KEY], [KEY])
    running = asyncio.create_task(publisher.run())
    await asyncio.sleep(3 * DEMAND_INTERVAL_SECS + 0.05)
    await stop([running])
    *repeated, (_, _, last) = bus.published
    times = [at for at, _, _ in repeated]
    assert [round(at / DEMAND_INTERVAL_SECS, 1) for at in times] == [0, 1, 2, 3]
    assert DEMAND_INTERVAL_SECS < DEMAND_TTL_SECS
    expected = Demand(gateway="trading-3-owner", rev=1, quotes=[OTHER_KEY], depth=[KEY])
    assert [(subject, demand) for _, subject, demand in repeated] == [(SUBJECT, expected)] * 4
    assert (last.rev, last.quotes, last.depth) == (2, [], [])


@on_virtual_time
async def test_changes_are_published_soon_and_together() -> None:
    bus = RecordingBus()
    publisher = publisher_on(bus)
    running = asyncio.create_task(publisher.run())
    await asyncio.sleep(1)
    publisher.want([KEY], [])
    await asyncio.sleep(0.01)
    publisher.want([KEY, OTHER_KEY], [])
    publisher.want([KEY, OTHER_KEY], [KEY])
    await asyncio.sleep(0.2)
    assert [(round(at, 1), demand.rev) for at, _, demand in bus.published] == [
        (0, 0), (1.0, 1), (1.1, 3),
    ]  # fmt: skip
    await stop([running])


@on_virtual_time
async def test_the_same_demand_again_is_no_change() -> None:
    bus = RecordingBus()
    publisher = publisher_on(bus)
    publisher.want([KEY, OTHER_KEY], [])
    publisher.want([OTHER_KEY, KEY, KEY], [])
    assert publisher.demand.rev == 1


@on_virtual_time
async def test_a_failure_or_an_outage_of_nats_delays_the_demand_to_the_next_repetition() -> None:
    bus = RecordingBus()
    publisher = publisher_on(bus)
    publisher.want([KEY], [])
    bus.error = ConnectionClosedError()
    running = asyncio.create_task(publisher.run())
    await asyncio.sleep(1)
    bus.error, bus.can_publish = None, False
    await asyncio.sleep(DEMAND_INTERVAL_SECS)
    bus.can_publish = True
    await asyncio.sleep(DEMAND_INTERVAL_SECS)
    assert [demand.quotes for _, _, demand in bus.published] == [[KEY]]
    await stop([running])


@on_virtual_time
async def test_a_demand_beyond_one_message_keeps_order_books_and_earlier_keys() -> None:
    publisher = publisher_on(RecordingBus())
    earlier = [f"NSE_EQ|Z{number}" for number in range(10)]
    publisher.want(earlier, [])
    keys = [f"NSE_EQ|A{number}" for number in range(MAX_KEYS)]
    with capture_logs() as logs:
        publisher.want([*keys, *earlier], [KEY])
        publisher.want([*keys, *earlier], [KEY])
    demand = publisher.demand
    assert demand.depth == [KEY]
    assert len(demand.quotes) == MAX_KEYS - 1
    assert set(earlier) < set(demand.quotes)
    assert undemanded("quotes") == 11
    assert [(entry["event"], entry["kind"]) for entry in logs] == [
        ("demand exceeds one message", "quotes")
    ]
    publisher.want([], [])
    assert undemanded("quotes") == 0


@on_virtual_time
async def test_an_owner_that_is_no_token_is_refused() -> None:
    bus: Any = RecordingBus()
    with pytest.raises(InvalidField):
        DemandPublisher(bus, 0, "a.b")
