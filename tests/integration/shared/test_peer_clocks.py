"""Skew against the real MongoDB and the real NATS is measured, reported and withdrawn."""

import pytest
from prometheus_client import REGISTRY

from shared.bus.nats_clock import _SAMPLES, NatsClock
from shared.bus.resources import open_leases
from shared.runtime import mongo_clock
from shared.runtime.clock_skew import dependency_of
from shared.runtime.health import Readiness
from shared.runtime.mongo import connect_mongo
from shared.runtime.mongo_clock import MongoClock
from tests.support.buses import bus_of
from tests.support.clocks import OffClock
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.settings import mongo_settings

HOUR_SECS = 3_600.0


def measured(peer: str) -> float:
    value = REGISTRY.get_sample_value("tradedad_clock_skew_seconds", {"peer": peer})
    assert value is not None
    return value


@pytest.mark.parametrize("ahead_secs", [HOUR_SECS, -HOUR_SECS])
async def test_a_clock_that_differs_from_mongodbs_makes_a_process_unready(
    mongo_url: str, ahead_secs: float
) -> None:
    readiness = Readiness("test")
    clock = OffClock(ahead_secs)
    async with connect_mongo(mongo_settings(mongo_url, "test"), readiness) as mongo:
        compared = MongoClock(mongo, clock, readiness, PATIENCE_SECS)
        await compared.measure()
        assert list(readiness.missing) == [dependency_of(mongo_clock.PEER)]
        assert measured(mongo_clock.PEER) == pytest.approx(ahead_secs, abs=PATIENCE_SECS)
        clock.ahead_secs = 0.0
        await compared.measure()
        assert readiness.is_ready()


@pytest.mark.parametrize("ahead_secs", [HOUR_SECS, -HOUR_SECS])
async def test_a_clock_that_differs_from_that_of_nats_makes_a_process_unready(
    nats: NatsServer, ahead_secs: float
) -> None:
    readiness = Readiness("test")
    clock = OffClock(ahead_secs)
    async with bus_of(nats, "ingest", readiness=readiness) as bus:
        compared = NatsClock(bus, "ingest", clock, readiness, PATIENCE_SECS)
        await compared.measure()
        assert readiness.is_ready(), "nothing is stored yet"
        bucket = (await open_leases(bus)).bucket
        await bucket.put("ingest", b"holder")
        for _ in range(_SAMPLES):
            await compared.measure()
        assert list(readiness.missing) == [dependency_of("nats")]
        assert measured("nats") == pytest.approx(ahead_secs, abs=PATIENCE_SECS)
        clock.ahead_secs = 0.0
        for _ in range(_SAMPLES):
            await compared.measure()
        assert readiness.is_ready()
