"""Trading's demand reaches ingest, and the persister answers its requests. Real nats-server."""

import asyncio

from services.ingest.bus.demand_listener import DemandListener
from services.ingest.demand.instrument_demand import InstrumentDemand
from services.trading.bus.demand_publisher import DemandPublisher
from services.trading.bus.instruments import Instruments
from shared.errors import Unavailable
from shared.runtime.clock import SystemClock
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from shared.runtime.tasks import stop
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.buses import bus_of
from tests.support.patience import PATIENCE_SECS
from tests.support.persisters import answering_persister
from tests.support.servers import NatsServer
from tests.support.services import running_components
from tests.support.simulated import running as running_simulator
from tests.support.waiting import eventually

CLOCK = SystemClock()
_MASTER = "/market-quote/instruments/exchange/complete.json.gz"


async def test_ingest_has_the_demand_of_trading_until_its_owner_ends(nats: NatsServer) -> None:
    demand = InstrumentDemand([], linger_secs=0.0)
    async with bus_of(nats, "ingest") as ingest, bus_of(nats, "trading") as bus:
        publisher = DemandPublisher(bus, 0, "owner")
        publisher.want([KEY, OTHER_KEY], [KEY])
        async with running_components([DemandListener(ingest, demand, CLOCK)]):
            publishing = asyncio.create_task(publisher.run())
            await eventually(lambda: len(demand.requested) == 2, what="the demand")
            assert demand.depth_keys == {KEY}
            publisher.want([KEY], [])
            await eventually(lambda: not demand.depth_keys, what="the new demand")
            await stop([publishing])
            await eventually(lambda: not demand.requested, what="the empty demand")


async def test_an_instrument_is_read_from_the_persister(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    async with running_simulator(start_ms=MONDAY_10_00) as http:
        url = str(http._base_url).rstrip("/") + _MASTER
        async with (
            answering_persister(nats, mongo_settings, master_url=url),
            bus_of(nats, "trading") as bus,
        ):
            instruments = Instruments(bus, CLOCK, timeout_secs=PATIENCE_SECS, max_cached=10)

            async def is_known() -> bool:
                try:
                    return await instruments.get(KEY) is not None
                except Unavailable:
                    return False

            await eventually(is_known, what="the persister has loaded the master")
            instrument = await instruments.get(KEY)
            assert instrument is not None
            assert (instrument.key, instrument.symbol) == (KEY, "RELIANCE")
            assert await instruments.get("NSE_EQ|NONE") is None
