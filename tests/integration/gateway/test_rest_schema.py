"""The gateway conforms to its OpenAPI document, whatever requests it gets."""

from openapi_spec_validator import OpenAPIV31SpecValidator

from shared.contracts.messages import FeedState, FeedStatus, encode
from shared.contracts.roles import ADMIN_ROLE
from shared.contracts.subjects import STATUS
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import MONDAY_10_00, fresh_quote
from tests.support.gateway.fake_links import answering_links
from tests.support.gateway.fake_trading import answering_trading
from tests.support.gateway.fake_trading_admin import answering_trading_admin
from tests.support.gateway.in_process import running_gateway
from tests.support.gateway.rest import (
    CALL,
    NIFTY,
    RELIANCE,
    bars_from,
    get,
    store_bars,
    store_instruments,
)
from tests.support.schemathesis_run import run_schemathesis
from tests.support.servers import NatsServer
from tests.support.upstox_history import fetching_persister, simulated_history


async def test_no_request_gets_a_5xx_or_an_undocumented_response(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    many = 1_000_000
    async with (
        simulated_history() as upstox,
        fetching_persister(nats, mongo_settings, upstox),
        answering_trading(nats),
        answering_links(nats),
        answering_trading_admin(nats),
        running_gateway(nats, requests_burst=many, address_requests_burst=many) as gateway,
    ):
        await store_bars(mongo, bars_from(MONDAY_10_00, 20))
        await store_instruments(mongo, [RELIANCE, NIFTY, CALL])
        # So that keys of no instrument are refused without a call to Upstox.
        await gateway.publish(fresh_quote())
        await gateway.ingest.publish(
            STATUS, encode(FeedStatus(state=FeedState.LIVE, since=1, epoch=1))
        )
        served = await get(gateway, "/v1/openapi.json", token=None)
        assert list(OpenAPIV31SpecValidator(served.body).iter_errors()) == []
        code, output = await run_schemathesis(
            gateway.url,
            "/v1/openapi.json",
            "--header",
            f"Authorization: Bearer {gateway.issuer.token(roles=[ADMIN_ROLE])}",
            examples=40,
        )
        print(output)
        assert code == 0, output
