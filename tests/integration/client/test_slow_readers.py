"""A program that reads slowly gets the newest quotes, and loses no order event silently."""

import pytest

from shared.contracts.subjects import order_subject
from tests.support.builders import KEY, OTHER_KEY, fresh_quote
from tests.support.buses import flushed
from tests.support.gateway.in_process import running_gateway
from tests.support.gateway.python_client import next_of, python_client
from tests.support.servers import NatsServer
from tests.support.waiting import eventually
from tradedad_client import OrderEvent, Quote, TooSlow


async def test_quotes_of_a_slow_reader_are_conflated_to_the_newest_of_each_instrument(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway, python_client(gateway, most_waiting=10) as client:
        quotes, everything = client.quotes([KEY, OTHER_KEY]), client.quotes(["*"])
        await quotes.ready()
        await everything.ready()
        for seq in range(1, 1_001):
            await gateway.publish(fresh_quote(seq=seq), fresh_quote(key=OTHER_KEY, seq=seq))
        async with client.quotes([KEY]) as another:  # a reader that keeps up is not delayed
            while (await next_of(another, Quote)).seq < 1_000:
                pass
        assert quotes.waiting <= 10
        assert quotes.conflated > 0
        newest: dict[str, int] = {}
        while newest != {KEY: 1_000, OTHER_KEY: 1_000}:
            quote = await next_of(quotes, Quote)
            assert quote.seq > newest.get(quote.key, 0)
            newest[quote.key] = quote.seq
        await gateway.publish(fresh_quote(seq=1_001))
        assert (await next_of(quotes, Quote)).seq == 1_001


async def test_a_subscription_that_must_drop_order_events_ends_with_an_error(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway, python_client(gateway, most_waiting=10) as client:
        orders, quotes = client.orders(), client.quotes([KEY])
        await orders.ready()
        trading = await nats.connect("trading")
        try:
            for number in range(50):
                await trading.publish(order_subject("user-1"), b'{"number":%d}' % number)
            await flushed(trading)
        finally:
            await trading.close()
        await eventually(lambda: orders.waiting == 10, what="ten order events wait")
        numbers = [(await next_of(orders, OrderEvent)).data["number"] for _ in range(10)]
        assert numbers == list(range(10))
        with pytest.raises(TooSlow, match="more orders wait"):
            await next_of(orders, OrderEvent)
        await gateway.publish(fresh_quote())
        assert (await next_of(quotes, Quote)).key == KEY, "another subscription ended"
