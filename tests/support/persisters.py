"""A whole persister within a test's own event loop, and a gateway's connection to ask it by."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from services.persister.app import build
from services.persister.settings import PersisterSettings
from shared.bus.connection import Bus
from shared.bus.requests import send_request
from shared.bus.resources import ensure_ticks_stream
from shared.contracts.instruments import INSTRUMENTS_GET, GetReply, GetRequest
from shared.errors import Unavailable
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.settings import MongoSettings, NatsSettings
from tests.support.buses import bus_of
from tests.support.servers import PASSWORD, NatsServer
from tests.support.services import running
from tests.support.waiting import eventually

CLOCK = SystemClock()


@asynccontextmanager
async def asked_persister(
    nats: NatsServer, mongo: MongoSettings, **options: Any
) -> AsyncIterator[Bus]:
    """Yields a connection once the persister answers over it."""
    settings = PersisterSettings.model_validate(
        {
            "ops_port": 0,
            "nats_password": PASSWORD,
            "repair": False,
            "master_url": "http://127.0.0.1:9/none",
            "nats": NatsSettings.model_validate({"url": nats.url, "lease_ttl_secs": 1.5}),
            "mongo": mongo,
            **options,
        }
    )
    async with bus_of(nats, "ingest") as ingest:
        await ensure_ticks_stream(ingest, max_age_secs=600, max_bytes=1 << 24)
    async with running(build(settings, Readiness("persister"))), bus_of(nats, "gateway") as bus:

        async def answers() -> bool:
            try:
                await send_request(
                    bus, CLOCK, INSTRUMENTS_GET, GetRequest(keys=["none"]), GetReply, timeout_secs=1
                )
            except Unavailable:
                return False
            return True

        await eventually(answers, what="the persister answers")
        yield bus
