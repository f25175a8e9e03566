"""Account events reach a program once and in order, also those that the stream did not bring."""

import asyncio

import msgspec

from shared.contracts.subjects import order_subject
from shared.contracts.trading_replies import UserEvent
from tests.support.buses import bus_of
from tests.support.gateway.fake_trading import EVENT, answering_trading
from tests.support.gateway.in_process import running_gateway
from tests.support.gateway.python_client import python_client
from tests.support.gateway.trading_rest import USER
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tradedad_client import AccountEvents, EventKind


def event(seq: int) -> UserEvent:
    return msgspec.structs.replace(EVENT, seq=seq)


async def seqs(events: AccountEvents, count: int) -> list[int]:
    """The numbers of the next events."""
    async with asyncio.timeout(PATIENCE_SECS):
        return [(await anext(events)).seq for _ in range(count)]


async def test_missed_events_come_before_live_ones(nats: NatsServer) -> None:
    async with (
        answering_trading(nats) as trading,
        running_gateway(nats) as gateway,
        bus_of(nats, "trading") as bus,
        python_client(gateway) as client,
    ):
        trading.events = [event(seq) for seq in range(1, 401)]

        async def publish(seq: int) -> None:
            await bus.client.publish(order_subject(USER), msgspec.json.encode(event(seq)))

        async with client.trading.follow(after=150) as events:
            assert await seqs(events, 250) == list(range(151, 401))
            trading.events.append(event(401))
            await publish(400)
            await publish(401)
            assert await seqs(events, 1) == [401]
            trading.events += [event(402), event(403), event(404)]
            await publish(404)
            live = await anext(events)
            assert (live.seq, live.kind) == (402, EventKind.FILL)
            assert live.trade is not None
            assert live.trade.price == EVENT.trade.price if EVENT.trade else None
            assert await seqs(events, 2) == [403, 404]


async def test_events_during_a_restart_of_the_gateway_are_not_lost(nats: NatsServer) -> None:
    async with (
        answering_trading(nats) as trading,
        running_gateway(nats) as gateway,
        python_client(gateway) as client,
    ):
        trading.events = [event(1), event(2)]
        events = client.trading.follow()
        async with asyncio.timeout(PATIENCE_SECS):
            await events.ready()
        assert events.last_seq == 2
        await gateway.stop()
        trading.events += [event(3), event(4)]
        await gateway.start()
        assert await seqs(events, 2) == [3, 4]
