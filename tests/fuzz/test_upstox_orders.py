"""Random answers and stream messages of Upstox to trading, beside those that are right."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import aiohttp
import msgspec
import pytest
from aiohttp import web
from prometheus_client import REGISTRY

from services.trading.upstox.account_calls import AccountCalls
from services.trading.upstox.answers import Lost, Refused, Taken
from services.trading.upstox.portfolio_stream import StreamEnded, portfolio_stream
from services.trading.upstox.rows import OrderRow
from services.trading.upstox.skipped_rows import SkippedRows
from shared.errors import UpstoxUnavailable
from shared.runtime.site import serve
from tests.fuzz.rounds import mutated, mutated_json, odd_value, rounds
from tests.support.patience import PATIENCE_SECS
from tests.support.upstox_calls import account_calls, order_terms
from tests.support.upstox_rows import (
    FUNDS,
    HOLDING,
    OPTION_POSITION,
    ORDER,
    SHARE_POSITION,
    TRADE,
)

_ROUNDS: Final = 40
_STREAM_ROUNDS: Final = 30
_BATCH: Final = 20
_ORDER: Final = ORDER | {"price": 1400.05}
_UPDATE: Final = _ORDER | {"update_type": "order", "instrument_key": ORDER["instrument_token"]}
_ERROR: Final = {
    "status": "error",
    "errors": [{"errorCode": "UDAPI1154", "message": "no", "propertyPath": None}],
}
_STATUSES: Final = (200, 200, 200, 200, 202, 204, 400, 401, 403, 404, 423, 429, 500, 502, 503)
_HEADERS: Final = ("Content-Type", "Content-Encoding", "Location", "Retry-After", "Set-Cookie")


async def _listed_orders(calls: AccountCalls) -> list[OrderRow]:
    book = await calls.orders()
    ids = {row.report.broker_order_id for row in book.rows}
    assert book.names is None or book.names >= ids
    return book.rows


_READS: Final[tuple[tuple[Callable[[AccountCalls], Awaitable[Any]], Any], ...]] = (
    (_listed_orders, [_ORDER, _ORDER | {"order_id": "2"}]),
    (AccountCalls.trades, [TRADE, TRADE]),
    (AccountCalls.positions, [OPTION_POSITION, SHARE_POSITION]),
    (AccountCalls.holdings, [HOLDING]),
    (AccountCalls.funds, FUNDS),
    (AccountCalls.stream_address, {"authorized_redirect_uri": "wss://127.0.0.1/x"}),
    (lambda calls: calls.orders_of_tag("o-1"), [_ORDER]),
)
_COMMANDS: Final[tuple[tuple[Callable[[AccountCalls], Awaitable[Any]], Any], ...]] = (
    (lambda calls: calls.place(order_terms(), "o-1"), {"order_ids": ["b1"]}),
    (lambda calls: calls.modify("b1", order_terms()), {"order_id": "b1"}),
    (lambda calls: calls.cancel("b1"), {"order_id": "b1"}),
)


def _skipped(*kinds: str) -> float:
    return sum(
        sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "tradedad_trading_upstox_rows_skipped_total"
        and sample.labels["kind"] in kinds
    )


class _Upstox:
    """A server that answers each request with `answer`."""

    def __init__(self) -> None:
        self.answer = web.Response()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        return self.answer

    def set_right(self, data: Any) -> None:
        self._set(200, json.dumps({"status": "success", "data": data}).encode())

    def set_random(self, source: random.Random, data: Any) -> None:
        envelope = {"status": "success", "data": data} if source.random() < 0.8 else _ERROR
        headers = {}
        if source.random() < 0.1:
            text = str(odd_value(source))[:50].encode("ascii", "ignore").decode()
            headers[source.choice(_HEADERS)] = " ".join(text.split())
        self._set(source.choice(_STATUSES), mutated_json(source, envelope), headers)

    def _set(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.answer = web.Response(
            status=status, body=body, headers={"Content-Type": "application/json"} | (headers or {})
        )


@asynccontextmanager
async def _upstox() -> AsyncIterator[tuple[_Upstox, AccountCalls]]:
    server = _Upstox()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    async with (
        serve(app, "127.0.0.1", 0) as port,
        account_calls(f"http://127.0.0.1:{port}") as calls,
    ):
        yield server, calls


async def test_a_random_answer_to_a_read_is_refused_or_has_only_rows_that_are_right() -> None:
    async with _upstox() as (server, calls):
        for source in rounds(_ROUNDS):
            for read, data in _READS:
                server.set_random(source, data)
                with suppress(UpstoxUnavailable):
                    msgspec.json.encode(await read(calls))
            for read, data in _READS:
                server.set_right(data)
                assert await read(calls)


async def test_each_wrong_row_of_a_book_is_counted_and_no_right_one_is_lost() -> None:
    async with _upstox() as (server, calls):
        for source in rounds(_ROUNDS):
            for read, kind, right in (
                (_listed_orders, "order", _ORDER), (AccountCalls.trades, "trade", TRADE),
            ):  # fmt: skip
                rows = [mutated(source, right) for _ in range(_BATCH)]
                before = _skipped(kind)
                server.set_right([*rows, right | {"order_id": "last"}])
                found = await read(calls)
                last = found[-1].report if isinstance(found[-1], OrderRow) else found[-1]
                assert last.broker_order_id == "last"
                assert len(found) + _skipped(kind) - before == len(rows) + 1


async def test_a_random_answer_to_a_command_is_never_taken_for_another_one() -> None:
    async with _upstox() as (server, calls):
        for source in rounds(_ROUNDS):
            for number, (command, data) in enumerate(_COMMANDS):
                server.set_random(source, data)
                answer = await command(calls)
                assert isinstance(answer, Taken | Refused | Lost)
                if isinstance(answer, Taken) and number:
                    assert answer.broker_order_id == "b1"
                server.set_right(data)
                assert await command(calls) == Taken("b1")


async def test_random_messages_of_the_portfolio_stream_lose_no_right_one() -> None:
    batches: asyncio.Queue[list[str | bytes]] = asyncio.Queue()

    async def talk(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        while batch := await batches.get():
            for message in batch:
                if isinstance(message, str):
                    await socket.send_str(message)
                else:
                    await socket.send_bytes(message)
        await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/", talk)
    no_timeout = aiohttp.ClientTimeout(total=None)
    async with (
        serve(app, "127.0.0.1", 0) as port,
        aiohttp.ClientSession(timeout=no_timeout) as http,
        portfolio_stream(
            http, f"ws://127.0.0.1:{port}/", SkippedRows(), ping_secs=PATIENCE_SECS
        ) as updates,
    ):
        for number, source in enumerate(rounds(_STREAM_ROUNDS)):
            noise = [mutated_json(source, _UPDATE) for _ in range(_BATCH)]
            right = json.dumps(_UPDATE | {"order_id": f"right-{number}"})
            await batches.put([*map(_as_message, noise), right])
            async with asyncio.timeout(PATIENCE_SECS):
                while (await anext(updates)).report.broker_order_id != f"right-{number}":
                    pass
        await batches.put([])
        with pytest.raises(StreamEnded, match="close_1000"):
            await anext(updates)


def _as_message(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data
