"""A market that a test moves, and a client of the trading service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum
from typing import Any, Final, TypeVar

import msgspec
from nats.aio.msg import Msg

from shared.bus.connection import Bus
from shared.bus.requests import send_request
from shared.bus.responder import Handler, Responder
from shared.contracts.instruments import (
    INSTRUMENTS_DETAIL,
    INSTRUMENTS_GET,
    DetailReply,
    DetailRequest,
    GetReply,
    GetRequest,
    Instrument,
    Reference,
)
from shared.contracts.messages import ClockTick, Depth, FeedState, encode
from shared.contracts.order_terms import Account, OrderType, Product, Side
from shared.contracts.subjects import CLOCK, depth_subject, order_subject, quote_subject
from shared.contracts.trading import AccountQuery, Operation, OrderRequest, trading_subject
from shared.contracts.trading_replies import Funds, UserEvent
from shared.errors import Unavailable
from shared.runtime.clock import SystemClock
from shared.runtime.tasks import stop
from tests.support.builders import KEY, MONDAY_10_00, quote
from tests.support.buses import bus_of, flushed, ingest_bus, wait_connected
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

CLOCK_OF_TESTS: Final = SystemClock()
USER: Final = "user-1"
_SERVED_SECS: Final = 0.5
"""Between accounts, nats-server does not report that nobody answers."""
RELIANCE: Final = Instrument(
    key=KEY, symbol="RELIANCE", name="Reliance Industries", segment="NSE_EQ", exchange="NSE",
    type="EQ", isin="INE002A01018", lot_size=1, tick_size=0.05, freeze_quantity=100_000.0,
)  # fmt: skip
NIFTY_FUTURE: Final = Instrument(
    key="NSE_FO|1", symbol="NIFTY FUT 23 NOV 26", name="Nifty 50", segment="NSE_FO",
    exchange="NSE", type="FUT", lot_size=65, tick_size=0.1, freeze_quantity=1_800.0,
    expiry="2026-11-23", underlying_key="NSE_INDEX|Nifty 50",
)  # fmt: skip
"""It expires on the day on which the market of tests begins."""
INSTRUMENTS: Final = (RELIANCE, NIFTY_FUTURE)
ReplyT = TypeVar("ReplyT", bound=msgspec.Struct)


class TestMarket:
    """Publishes what ingest would: quotes, order books and clock ticks."""

    __test__ = False

    def __init__(self, bus: Bus, persister: Bus) -> None:
        self._bus = bus
        self._persister = persister
        self._seq = 0
        self.now_ms = MONDAY_10_00
        self.volume = 1_000
        self.reference: Reference | None = None
        """What the persister tells of the instrument's day."""

    async def wait_connected(self) -> None:
        """Wait until the connections of ingest and the persister to NATS are open again."""
        buses = (self._bus, self._persister)
        await eventually(lambda: all(bus.is_connected for bus in buses), what="both are connected")

    async def quote(
        self,
        ltp: float,
        *,
        bids: list[tuple[float, int]] | None = None,
        asks: list[tuple[float, int]] | None = None,
        traded: int = 0,
        after_ms: int = 100,
    ) -> None:
        """Publish a quote with its order book and a clock tick, and wait until NATS has them.

        Waits for the connection first: NATS may have been restarted.
        """
        self._seq += 1
        self.now_ms += after_ms
        self.volume += traded
        bids, asks = bids or [(ltp - 0.05, 1_000)], asks or [(ltp + 0.05, 1_000)]
        message = quote(
            seq=self._seq, ts=self.now_ms, ltt=self.now_ms, ltp=ltp, ltq=traded or 10,
            volume=self.volume, bid=bids[0][0], bid_qty=bids[0][1],
            ask=asks[0][0], ask_qty=asks[0][1],
        )  # fmt: skip
        depth = Depth(
            key=KEY, epoch=1, seq=self._seq, ts=self.now_ms, rt=message.rt, bids=bids, asks=asks
        )
        client = self._bus.client
        await wait_connected(client)
        await client.publish(quote_subject(KEY), encode(message))
        await client.publish(depth_subject(KEY), encode(depth))
        await self.tick()

    async def send(self, subject: str, data: bytes) -> None:
        """Publish any entry."""
        await self._bus.client.publish(subject, data)
        await flushed(self._bus.client)

    async def tick(self, state: FeedState = FeedState.LIVE) -> None:
        """Publish the time."""
        clock = ClockTick(ts=self.now_ms, feed_ts=self.now_ms, epoch=1, seq=self._seq, state=state)
        await self._bus.client.publish(CLOCK, encode(clock))
        await flushed(self._bus.client)


class TradingClient:
    """Sends requests as a gateway does, and receives the events of one user."""

    def __init__(self, bus: Bus, user_id: str = USER) -> None:
        self._bus = bus
        self.user_id = user_id
        self.events: list[UserEvent] = []

    async def receive(self) -> None:
        """Begin to receive events."""

        async def on_event(message: Msg) -> None:
            self.events.append(msgspec.json.decode(message.data, type=UserEvent))

        await self._bus.client.subscribe(order_subject(self.user_id), cb=on_event)
        await self._bus.client.flush()

    async def flush(self) -> None:
        """Wait until NATS has everything that was sent before."""
        await flushed(self._bus.client)

    async def call(
        self,
        operation: StrEnum,
        request: msgspec.Struct,
        reply_type: type[ReplyT],
        *,
        timeout_secs: float = PATIENCE_SECS,
    ) -> ReplyT:
        """The reply. Raises the RequestError of the service."""
        return await send_request(
            self._bus,
            CLOCK_OF_TESTS,
            trading_subject(0, operation),
            request,
            reply_type,
            timeout_secs=timeout_secs,
        )

    async def has_events(self, count: int) -> None:
        """Wait until this number of events was received."""
        await eventually(lambda: len(self.events) >= count, what=f"{count} events were received")


def order_request(command_key: str, **fields: Any) -> OrderRequest:
    """A market order for ten shares, intraday, unless the fields say otherwise."""
    defaults: dict[str, Any] = {
        "user_id": USER, "account": Account.PAPER, "key": KEY, "side": Side.BUY,
        "product": Product.INTRADAY, "quantity": 10, "order_type": OrderType.MARKET,
    }  # fmt: skip
    return OrderRequest(command_key=command_key, **(defaults | fields))


@asynccontextmanager
async def market(nats: NatsServer) -> AsyncIterator[TestMarket]:
    """A market, and a persister's answers about instruments."""
    async with AsyncExitStack() as stack:
        ingest = await stack.enter_async_context(ingest_bus(nats))
        persister = await stack.enter_async_context(bus_of(nats, "persister"))

        async def get(request: GetRequest) -> GetReply:
            found = [one for one in INSTRUMENTS if one.key in request.keys]
            known = {one.key for one in found}
            return GetReply(
                instruments=found, unknown=[key for key in request.keys if key not in known]
            )

        async def detail(request: DetailRequest) -> DetailReply:
            return DetailReply(instrument=RELIANCE, reference=made.reference)

        made = TestMarket(ingest, persister)
        handlers: dict[str, Handler[Any]] = {
            INSTRUMENTS_GET: Handler(GetRequest, get),
            INSTRUMENTS_DETAIL: Handler(DetailRequest, detail),
        }
        responder = Responder(
            persister, CLOCK_OF_TESTS, handlers,
            queue_group="persister", max_concurrent=4, max_queued=64,
        )  # fmt: skip
        answering = asyncio.create_task(responder.run())
        try:
            await made.quote(1_400.0)
            yield made
        finally:
            await stop([answering])


@asynccontextmanager
async def trading_client(nats: NatsServer, user_id: str = USER) -> AsyncIterator[TradingClient]:
    """A gateway's connection; waits until the partition is served."""
    async with bus_of(nats, "gateway") as bus:
        client = TradingClient(bus, user_id)
        await client.receive()

        async def is_served() -> bool:
            query = AccountQuery(user_id=user_id, account=Account.PAPER)
            try:
                await client.call(Operation.FUNDS, query, Funds, timeout_secs=_SERVED_SECS)
            except Unavailable:
                return False
            return True

        await eventually(is_served, what="the partition is served")
        yield client
