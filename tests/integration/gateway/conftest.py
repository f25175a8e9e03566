"""Fixtures of the tests of the gateway: auth behind it, and a gateway with a persister."""

from collections.abc import AsyncIterator

import pytest

from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.auth_service import auth, key, settings
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.persisters import answering_persister
from tests.support.servers import NatsServer

__all__ = ["auth", "gateway", "key", "settings"]


@pytest.fixture
async def gateway(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> AsyncIterator[InProcessGateway]:
    """A gateway, and a persister with its database."""
    async with answering_persister(nats, mongo_settings), running_gateway(nats) as gateway:
        yield gateway
