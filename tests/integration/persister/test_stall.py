"""A persister that can use no entry of the stream reports it, until one can be used."""

import pytest
from structlog.testing import capture_logs

from services.persister import metrics
from services.persister.pipeline import DEPENDENCY
from shared.bus.connection import Bus
from shared.contracts.messages import ClockTick, FeedState, encode
from shared.contracts.subjects import CLOCK
from shared.runtime.health import Readiness
from shared.runtime.settings import MongoSettings
from tests.support.builders import MONDAY_10_00
from tests.support.buses import flushed, ingest_bus
from tests.support.persisters import persister
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

HOUR_MS = 3_600_000


def tick(*, ts: int, epoch: int) -> bytes:
    return encode(ClockTick(ts=ts, feed_ts=ts, epoch=epoch, seq=1, state=FeedState.LIVE))


async def publish(bus: Bus, entry: bytes) -> None:
    await bus.client.publish(CLOCK, entry)
    await flushed(bus.client)


def reason_of(readiness: Readiness) -> str:
    return readiness.missing.get(DEPENDENCY, "")


@pytest.mark.parametrize(
    ("entry", "cause"),
    [
        (tick(ts=MONDAY_10_00 + HOUR_MS, epoch=4), "epoch 4, older than 9"),
        (tick(ts=MONDAY_10_00 - HOUR_MS, epoch=9), "reset-checkpoint"),
        (b'{"version": 2}', "entries undecodable, first: clock at position 2: "),
    ],
    ids=["older epoch", "earlier time", "undecodable"],
)
async def test_a_persister_that_refuses_everything_is_not_ready_until_an_entry_can_be_used(
    nats: NatsServer, mongo_settings: MongoSettings, entry: bytes, cause: str
) -> None:
    async with ingest_bus(nats) as bus, persister(nats, mongo_settings) as readiness:
        await publish(bus, tick(ts=MONDAY_10_00, epoch=9))
        await eventually(lambda: not readiness.missing, what="the persister is ready")

        async def is_stalled() -> bool:
            await publish(bus, entry)
            return cause in reason_of(readiness)

        with capture_logs() as logged:
            await eventually(is_stalled, what="the persister is not ready, with the cause")
        assert metrics.STALLED._value.get() == 1
        (line,) = [line for line in logged if line["event"].startswith("no entry")]
        assert cause in line["reason"]

        async def goes_on() -> bool:
            await publish(bus, tick(ts=MONDAY_10_00 + 2 * HOUR_MS, epoch=9))
            return not readiness.missing

        await eventually(goes_on, what="the persister is ready again")
        assert metrics.STALLED._value.get() == 0
