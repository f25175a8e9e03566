"""Demands update the instrument demand; invalid ones are counted and ignored."""

import asyncio
from typing import Any, Self

from prometheus_client import REGISTRY

from services.ingest.bus.demand_listener import DemandListener
from services.ingest.demand.instrument_demand import InstrumentDemand
from shared.contracts.demand import DEMAND_TTL_SECS, Demand, encode
from shared.runtime.tasks import stop
from tests.support.builders import KEY
from tests.support.virtual_time import LoopClock, on_virtual_time


class DemandBus:
    """A bus that passes messages to the one subscription."""

    def __init__(self) -> None:
        self.client = self
        self.is_closed = False
        self.is_subscribed = False

    async def subscribe(self, _subject: str, cb: Any) -> Any:
        self.callback = cb
        self.is_subscribed = True
        return self

    async def unsubscribe(self) -> None:
        self.is_subscribed = False

    async def deliver(self, subject: str, data: bytes) -> None:
        message: Any = type("Message", (), {"subject": subject, "data": data})()
        await self.callback(message)


class Listening:
    """A running listener."""

    async def __aenter__(self) -> Self:
        self.bus = DemandBus()
        self.demand = InstrumentDemand([], linger_secs=1.0)
        bus: Any = self.bus
        self.listener = DemandListener(bus, self.demand, LoopClock())
        self._running = asyncio.create_task(self.listener.run())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await stop([self._running])


def bad_demands() -> float:
    return REGISTRY.get_sample_value("tradedad_ingest_bad_demands_total") or 0.0


@on_virtual_time
async def test_a_demand_is_recorded_and_signalled() -> None:
    async with Listening() as listening:
        await listening.bus.deliver("demand.g", encode(Demand(gateway="g", rev=1, quotes=[KEY])))
        assert listening.demand.requested == [KEY]
        assert listening.listener.changed.is_set()


@on_virtual_time
async def test_a_repeated_demand_is_not_signalled() -> None:
    async with Listening() as listening:
        data = encode(Demand(gateway="g", rev=1, quotes=[KEY]))
        await listening.bus.deliver("demand.g", data)
        listening.listener.changed.clear()
        await listening.bus.deliver("demand.g", data)
        assert not listening.listener.changed.is_set()


@on_virtual_time
async def test_an_unreadable_demand_is_counted_and_ignored() -> None:
    before = bad_demands()
    async with Listening() as listening:
        await listening.bus.deliver("demand.g", b"garbage")
        assert listening.demand.revisions == {}
    assert bad_demands() == before + 1


@on_virtual_time
async def test_a_demand_on_the_subject_of_another_gateway_is_counted_and_ignored() -> None:
    before = bad_demands()
    async with Listening() as listening:
        await listening.bus.deliver(
            "demand.other", encode(Demand(gateway="g", rev=1, quotes=[KEY]))
        )
        assert listening.demand.revisions == {}
    assert bad_demands() == before + 1


@on_virtual_time
async def test_a_demand_of_a_gateway_whose_name_is_no_token_is_counted_and_ignored() -> None:
    before = bad_demands()
    async with Listening() as listening:
        for name in ("", "a.b", "\u00e9"):
            await listening.bus.deliver(
                f"demand.{name}", encode(Demand(gateway=name, rev=1, quotes=[KEY]))
            )
        assert listening.demand.revisions == {}
    assert bad_demands() == before + 3


@on_virtual_time
async def test_a_silent_gateway_is_dropped_and_signalled() -> None:
    async with Listening() as listening:
        await listening.bus.deliver("demand.g", encode(Demand(gateway="g", rev=1, quotes=[KEY])))
        listening.listener.changed.clear()
        await asyncio.sleep(DEMAND_TTL_SECS + 1.5)
        assert listening.listener.changed.is_set()
        assert listening.demand.requested == []


@on_virtual_time
async def test_the_subscription_ends_with_the_listener() -> None:
    async with Listening() as listening:
        assert listening.bus.is_subscribed
    assert not listening.bus.is_subscribed
