"""Every process of a stack is replaced under load: clients notice what is documented, and no more.

docs/operations.md ("Upgrade") and docs/reliability.md ("Rolling restarts") state the seconds.
"""

from decimal import Decimal
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Final

import pytest

from services.trading.portfolio.account import PaperAccount
from shared.market.exchange_time import WINDOW_MS, window_start
from tests.support.bar_comparison import compare, wait_until_stored
from tests.support.rolling.load import Load, load_on
from tests.support.rolling.stack import SPEED, Handover, RollingStack, rolling_stack
from tests.support.servers import MongoServer, NatsServer
from tests.support.trading_chaos import OPENING_CASH, entries_of

BACK_SECS: Final = 5.0
"""From the close of a stream until quotes come again: a pause of up to 3 s, and a handshake."""
PAUSE_SECS: Final = 3.0
"""The longest time without quotes on an open stream, while ingest's leader is replaced."""
ORDER_SECS: Final = 4.0
"""The longest time until an order is answered, while its partition's owner is replaced."""
CLOSE_PAUSE_SECS: Final = 0.005
"""Between two streams that a gateway closes."""
RESTARTING: Final = 1012


@pytest.mark.seconds
@pytest.mark.long
@pytest.mark.parametrize("streams", [100, 500])
async def test_clients_see_a_restart_and_lose_nothing_while_every_process_is_replaced(
    nats: NatsServer, mongo_server: MongoServer, tmp_path: Path, streams: int
) -> None:
    async with rolling_stack(nats, mongo_server, tmp_path) as (stack, url):
        async with load_on(stack, url, streams) as load:
            await load.all_live()
            gateways = []
            for index in range(2):
                gateways.append(await stack.replace_gateway(index))
                await load.all_live()
            led = []
            for name in ("ingest", "persister", "trading"):
                led.append(handover := await stack.replace_leader(name))
                assert handover.leading_at is not None
                await load.all_served_after(handover.leading_at)
        _report(load, [*gateways, *led])
        _check_streams(load, gateways)
        _check_requests(load)
        await _check_orders(load, stack)
        await _check_bars(stack, led[0])


def _check_streams(load: Load, gateways: list[Handover]) -> None:
    closes = list(chain.from_iterable(seen.closes for seen in load.seen))
    assert {code for code, _, _ in closes} == {RESTARTING}
    assert all("shutting down" in reason for _, reason, _ in closes)
    assert len(closes) >= len(load.clients)
    for gateway in gateways:
        times = [at for _, _, at in closes if gateway.stopped_at <= at <= gateway.ended_at]
        assert max(times) - min(times) > 0.5 * CLOSE_PAUSE_SECS * len(times), "not spread"
    assert [dict(seen.refusals) for seen in load.seen if seen.refusals] == []
    assert list(chain.from_iterable(seen.wrong for seen in load.seen)) == []
    assert max(chain.from_iterable(seen.back_secs for seen in load.seen)) < BACK_SECS
    assert max(seen.longest_pause_secs for seen in load.seen) < PAUSE_SECS


def _check_requests(load: Load) -> None:
    for requests in [*load.gets.values(), *load.orders]:
        assert requests.failures == []
        assert requests.count > 0
    assert max(orders.longest_secs for orders in load.orders) < ORDER_SECS
    for session in load.sessions:
        assert session.failures == []
        assert session.renewals > 0


async def _check_orders(load: Load, stack: RollingStack) -> None:
    """The journal has the orders that were answered, each once, and no other."""
    for orderer in load.orderers:
        account = PaperAccount(orderer.user_id, Decimal(OPENING_CASH))
        for entry in await entries_of(stack.mongo, orderer.user_id):
            account.apply(entry)
        assert sorted(account.orders) == sorted(orderer.order_ids)


async def _check_bars(stack: RollingStack, ingest: Handover) -> None:
    """Every bar equals its trades; only those of ingest's handover may be partial."""
    pipeline = stack.pipeline
    windows = (window_start(await pipeline.exchange_ms()) - pipeline.first_window) // WINDOW_MS
    assert windows > 0
    await wait_until_stored(stack.mongo, pipeline.first_window + (windows + 1) * WINDOW_MS)
    found = await compare(pipeline, stack.mongo, windows=windows, partial_may_differ=True)
    print(f"bars: {windows} windows, {found.equal} equal, not complete: {found.not_complete()}")
    assert found.wrong == []
    assert ingest.exchange_ms is not None
    before_ms, after_ms = ingest.exchange_ms
    touched = range(window_start(before_ms), after_ms, WINDOW_MS)
    assert {start for _, start in found.not_complete()} <= set(touched)


def _report(load: Load, handovers: list[Handover]) -> None:
    """Print the figures of docs/reliability.md."""
    back = list(chain.from_iterable(seen.back_secs for seen in load.seen))
    pause_secs = max(seen.longest_pause_secs for seen in load.seen)
    order_secs = max(orders.longest_secs for orders in load.orders)
    gets = sum(requests.count for requests in load.gets.values())
    print(*handovers, sep="\n")
    print(f"{len(load.clients)} streams, {sum(seen.quotes for seen in load.seen)} quotes")
    print(f"{len(back)} reconnects: median {median(back):.1f} s, longest {max(back):.1f} s")
    print(f"longest pause of quotes on an open stream: {pause_secs:.2f} s")
    print(f"{sum(one.count for one in load.orders)} orders: longest {order_secs:.2f} s")
    print(f"{gets} GET, {sum(session.renewals for session in load.sessions)} renewals")
    print(f"exchange time is {SPEED:g} times as fast as the clock")
