"""A program trades over a real gateway: exact amounts, typed errors, and no command twice."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec
import pytest

from shared.contracts.trading import Operation
from shared.errors import (
    CommandInFlight,
    NotFound,
    OrderFinal,
    OrderRefused,
    Overloaded,
    RequestError,
)
from tests.support.builders import KEY
from tests.support.gateway.fake_trading import REPLIES, FakeTrading, answering_trading
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.python_client import python_client
from tests.support.gateway.trading_rest import OPERATIONS, USER
from tests.support.patience import OUTAGE_SECS, PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.tcp_proxy import cuttable_proxy
from tests.support.waiting import eventually
from tradedad_client import (
    Account,
    Client,
    NewOrder,
    OrderType,
    OutcomeUnknown,
    Product,
    Refused,
    RequestTiming,
    Side,
    Unauthenticated,
    Unavailable,
    Unreachable,
    Validity,
)
from tradedad_client import NotFound as ClientNotFound
from tradedad_client import OrderFinal as ClientOrderFinal
from tradedad_client import OrderRefused as ClientOrderRefused

ORDER = NewOrder(
    account=Account.PAPER, key=KEY, side=Side.BUY, product=Product.INTRADAY, quantity=10,
    order_type=OrderType.LIMIT, price=Decimal("100.05"),
)  # fmt: skip
PATIENT = RequestTiming(attempt_secs=PATIENCE_SECS, total_secs=PATIENCE_SECS)


@asynccontextmanager
async def trading_client(gateway: InProcessGateway, **options: Any) -> AsyncIterator[Client]:
    """A client without a stream."""
    patient: dict[str, Any] = {"request_timing": PATIENT, "stream": False}
    async with python_client(gateway, **(patient | options)) as client:
        yield client


@asynccontextmanager
async def gateway_and_trading(
    nats: NatsServer, **settings: Any
) -> AsyncIterator[tuple[InProcessGateway, FakeTrading]]:
    async with answering_trading(nats) as trading, running_gateway(nats, **settings) as gateway:
        yield gateway, trading


async def all_answers(client: Client) -> dict[Operation, Any]:
    """Calls each method as the requests of `OPERATIONS` do."""
    trading, key = client.trading, "c-1"
    paper, upstox = Account.PAPER, Account.UPSTOX
    assert (await trading.exit_all(paper, command_key=key))[0].order_id == "o-1"
    return {
        Operation.PLACE: await trading.place(ORDER, command_key=key),
        Operation.PREVIEW: await trading.preview(ORDER),
        Operation.ORDERS: await trading.orders(paper, open_only=True, limit=5),
        Operation.CANCEL_ALL: await trading.cancel_all(upstox, command_key=key),
        Operation.EVENTS: await trading.events(6, limit=2),
        Operation.ORDER: await trading.order("o-1"),
        Operation.PREVIEW_CHANGES: await trading.preview_changes("o-1", quantity=20),
        Operation.MODIFY: await trading.modify(
            "o-1", price=Decimal("100.1"), validity=Validity.IOC, command_key=key
        ),
        Operation.CANCEL: await trading.cancel("o-1", command_key=key),
        Operation.TRADES: await trading.trades(paper),
        Operation.POSITIONS: await trading.positions(paper),
        Operation.EXIT: await trading.exit(paper, KEY, Product.INTRADAY, command_key=key),
        Operation.HOLDINGS: await trading.holdings(paper),
        Operation.FUNDS: await trading.funds(upstox),
        Operation.LIMITS: await trading.limits(paper),
        Operation.SET_KILL_SWITCH: await trading.set_kill_switch(True, command_key=key),
        Operation.RESET: await trading.reset_paper(command_key=key),
    }


async def test_each_method_sends_its_request_and_returns_its_answer(nats: NatsServer) -> None:
    async with gateway_and_trading(nats) as (gateway, trading), trading_client(gateway) as client:
        answers = await all_answers(client)
    sent = [(operation, request) for _, operation, request in trading.requests]
    assert all(request.user_id == USER for _, request in sent)
    expected = [(operation, request) for *_, operation, request in OPERATIONS]
    assert sorted(map(repr, sent)) == sorted(map(repr, expected))
    for operation, answer in answers.items():
        reply = msgspec.json.decode(msgspec.json.encode(REPLIES[operation]))
        whole = operation not in UNWRAPPED
        assert msgspec.to_builtins(answer) == (reply if whole else next(iter(reply.values())))


UNWRAPPED = {
    Operation.ORDERS, Operation.CANCEL_ALL, Operation.TRADES, Operation.EXIT, Operation.HOLDINGS,
    Operation.SET_KILL_SWITCH,
}  # fmt: skip
"""Operations whose answers have one field, which the client returns."""


async def test_a_command_without_an_answer_is_repeated_with_its_key(nats: NatsServer) -> None:
    async with (
        gateway_and_trading(nats, order_timeout_secs=OUTAGE_SECS) as (gateway, trading),
        trading_client(gateway) as client,
    ):
        trading.lost_answers = 2
        order = await client.trading.place(ORDER)
    assert order.price == Decimal("1400.05")
    keys = [request.command_key for *_, request in trading.requests]
    assert len(keys) == 3
    assert len(set(keys)) == 1


async def test_a_command_whose_connection_breaks_is_repeated_with_its_key(
    nats: NatsServer,
) -> None:
    async with (
        gateway_and_trading(nats, order_timeout_secs=2) as (gateway, trading),
        cuttable_proxy(gateway.port) as proxy,
        python_client(
            gateway, f"http://{proxy.address}", stream=False, request_timing=PATIENT
        ) as client,
    ):
        for command in (client.trading.place(ORDER), client.trading.cancel("o-1")):
            trading.requests.clear()
            trading.lost_answers = 1
            task = asyncio.create_task(command)
            await eventually(lambda: trading.requests, what="trading has the command")
            async with proxy.cut():
                pass
            assert (await task).order_id == "o-1"
            first, *others = [request.command_key for *_, request in trading.requests]
            assert set(others) == {first}


async def test_a_command_in_flight_is_asked_for_until_it_is_done(nats: NatsServer) -> None:
    async with gateway_and_trading(nats) as (gateway, trading), trading_client(gateway) as client:
        trading.error = CommandInFlight("wait", field="command_key")
        task = asyncio.create_task(client.trading.place(ORDER, command_key="c-9"))
        await eventually(lambda: len(trading.requests) > 1, what="the client asks again")
        trading.error = None
        assert (await task).order_id == "o-1"
        assert {request.command_key for *_, request in trading.requests} == {"c-9"}


async def test_a_command_without_any_answer_has_an_unknown_outcome_and_a_key_to_ask_again(
    nats: NatsServer,
) -> None:
    async with gateway_and_trading(nats, order_timeout_secs=1) as (gateway, trading):
        trading.lost_answers = 1_000
        hasty = RequestTiming(total_secs=OUTAGE_SECS)
        async with trading_client(gateway, request_timing=hasty) as client:
            with pytest.raises(OutcomeUnknown) as unknown:
                await client.trading.place(ORDER)
            key = unknown.value.command_key
            assert trading.last.command_key == key
            assert isinstance(unknown.value.__cause__, Unavailable)
            with pytest.raises(Unavailable):
                await client.trading.funds(Account.PAPER)
        trading.lost_answers = 0
        async with trading_client(gateway) as client:
            assert (await client.trading.place(ORDER, command_key=key)).order_id == "o-1"
        assert trading.last.command_key == key


async def test_a_command_that_is_never_sent_was_not_executed(nats: NatsServer) -> None:
    async with gateway_and_trading(nats) as (gateway, trading):
        async with trading_client(gateway, request_timing=RequestTiming(total_secs=1.0)) as client:
            await gateway.stop()
            with pytest.raises(Unavailable, match="cannot be reached"):
                await client.trading.place(ORDER)
        assert trading.requests == []


async def test_after_its_end_a_client_sends_nothing_more(nats: NatsServer) -> None:
    async with gateway_and_trading(nats) as (gateway, trading), aiohttp.ClientSession() as http:
        async with trading_client(gateway, http=http) as client:
            trading.error = CommandInFlight("wait", field="command_key")
            task = asyncio.create_task(client.trading.place(ORDER))
            await eventually(lambda: trading.requests, what="trading has the command")
        with pytest.raises(OutcomeUnknown, match="client is closed"):
            await task
        sent = len(trading.requests)
        with pytest.raises(Unreachable, match="client is closed"):
            await client.trading.place(ORDER)
        assert len(trading.requests) == sent


ERRORS: list[tuple[RequestError, type[Any], dict[str, str | None]]] = [
    (OrderRefused("too much", field="quantity", rule="freeze", limit="1800", value="2000"),
     ClientOrderRefused,
     {"code": "order_refused", "field": "quantity", "rule": "freeze", "limit": "1800",
      "value": "2000", "detail": "too much"}),
    (OrderFinal("filled"), ClientOrderFinal, {"code": "order_final", "field": None}),
    (NotFound("no such order"), ClientNotFound, {"code": "not_found"}),
]  # fmt: skip


@pytest.mark.parametrize(("error", "kind", "members"), ERRORS, ids=lambda one: str(one)[:20])
async def test_a_refusal_is_raised_at_once_with_its_members(
    nats: NatsServer, error: RequestError, kind: type[Any], members: dict[str, str | None]
) -> None:
    async with gateway_and_trading(nats) as (gateway, trading), trading_client(gateway) as client:
        trading.error = error
        with pytest.raises(kind) as raised:
            await client.trading.cancel("o-1")
        assert {name: getattr(raised.value, name) for name in members} == members
        assert len(trading.requests) == 1


async def test_a_full_service_is_asked_again_after_its_pause(nats: NatsServer) -> None:
    async with gateway_and_trading(nats) as (gateway, trading), trading_client(gateway) as client:
        trading.error = Overloaded("full", retry_after_secs=1)
        task = asyncio.create_task(client.trading.funds(Account.PAPER))
        await eventually(lambda: trading.requests, what="trading has the request")
        trading.error = None
        assert (await task).cash == Decimal("1000000.10")


async def test_a_token_that_expired_is_replaced_once(nats: NatsServer) -> None:
    async with gateway_and_trading(nats) as (gateway, trading):
        tokens = [gateway.issuer.token(exp=1), gateway.issuer.token()]
        calls = []

        async def ask() -> str:
            calls.append(1)
            return tokens[min(len(calls), len(tokens)) - 1]

        async with trading_client(gateway, ask_token=ask) as client:
            await client.trading.place(ORDER)
            await client.trading.funds(Account.PAPER)
            assert len(calls) == 2
        assert [operation for _, operation, _ in trading.requests] == [
            Operation.PLACE, Operation.FUNDS,
        ]  # fmt: skip


async def test_a_token_that_cannot_be_replaced_ends_a_request(nats: NatsServer) -> None:
    async with gateway_and_trading(nats) as (gateway, trading):
        async with trading_client(gateway, token=gateway.issuer.token(exp=1)) as client:
            for _ in range(2):
                with pytest.raises(Unauthenticated) as raised:
                    await client.trading.place(ORDER)
                assert raised.value.code == "token_expired"
        assert trading.requests == []


async def test_an_error_of_the_token_source_does_not_hide_that_a_command_was_sent(
    nats: NatsServer,
) -> None:
    async with gateway_and_trading(nats, order_timeout_secs=0.2) as (gateway, trading):
        tokens = [gateway.issuer.token(exp=int(time.time()) + 1)]

        async def ask() -> str:
            if not tokens:
                raise Refused("no such vault")
            return tokens.pop()

        async with trading_client(gateway, ask_token=ask) as client:
            trading.lost_answers = 1_000
            with pytest.raises(OutcomeUnknown) as unknown:
                await client.trading.place(ORDER)
            assert isinstance(unknown.value.__cause__, Refused)
            assert trading.last.command_key == unknown.value.command_key
            with pytest.raises(Refused, match="no such vault"):
                await client.trading.place(ORDER)


async def test_trading_needs_no_stream_and_a_stream_needs_no_trading(nats: NatsServer) -> None:
    async with (
        gateway_and_trading(nats, max_streams_per_user=1) as (gateway, _),
        python_client(gateway) as watcher,
        trading_client(gateway) as trader,
    ):
        assert watcher.is_live
        assert not trader.is_live
        await trader.trading.cancel_all(Account.PAPER)
        with pytest.raises(RuntimeError, match="without a stream"):
            trader.trading.follow()
