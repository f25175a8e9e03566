"""A persister inside a test's own event loop, and a gateway's connection for requests to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from services.persister.app import build
from services.persister.settings import PersisterSettings
from shared.bus.connection import Bus
from shared.bus.requests import send_request
from shared.contracts.instruments import INSTRUMENTS_SEARCH, SearchReply, SearchRequest
from shared.errors import Unavailable
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.settings import MongoSettings, NatsSettings
from tests.support.buses import bus_of, ingest_bus
from tests.support.servers import PASSWORD, NatsServer
from tests.support.services import running
from tests.support.settings import RUNTIME, nats_settings
from tests.support.waiting import eventually

CLOCK: Final = SystemClock()


@asynccontextmanager
async def persister(
    nats: NatsServer, mongo: MongoSettings, *, bus: NatsSettings | None = None, **options: Any
) -> AsyncIterator[Readiness]:
    """A persister that is starting. `bus` is its connection to NATS if not a patient one."""
    readiness = Readiness("persister")
    settings = PersisterSettings.model_validate(
        {
            "ops_port": 0,
            "nats_password": PASSWORD,
            "repair": False,
            "history": False,
            "calendar_refresh": False,
            "master_url": "http://127.0.0.1:9/none",
            "nats": bus or nats_settings(nats.url),
            "mongo": mongo,
            "runtime": RUNTIME,
            **options,
        }
    )
    async with running(build(settings, readiness)):
        yield readiness


@asynccontextmanager
async def answering_persister(
    nats: NatsServer, mongo: MongoSettings, **options: Any
) -> AsyncIterator[Bus]:
    """A persister that answers requests; yields the connection of a gateway."""
    async with ingest_bus(nats):
        pass
    async with persister(nats, mongo, **options), bus_of(nats, "gateway") as bus:

        async def answers() -> bool:
            try:
                request = SearchRequest(query="none")
                await send_request(
                    bus, CLOCK, INSTRUMENTS_SEARCH, request, SearchReply, timeout_secs=1
                )
            except Unavailable:
                return False
            return True

        await eventually(answers, what="the persister answers")
        yield bus
