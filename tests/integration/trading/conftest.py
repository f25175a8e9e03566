"""Fixtures of the tests of trading: a market that a test moves, and an administrator."""

from collections.abc import AsyncIterator

import pytest

from tests.support.servers import NatsServer
from tests.support.trading_client import TestMarket, market
from tests.support.trading_switches import Administrator


@pytest.fixture
def admin(nats: NatsServer) -> Administrator:
    return Administrator(nats)


@pytest.fixture
async def moved(nats: NatsServer) -> AsyncIterator[TestMarket]:
    async with market(nats) as made:
        yield made
