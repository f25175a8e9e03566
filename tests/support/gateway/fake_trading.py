"""The trading side of the bus: answers every request for orders and accounts with fixed values."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Final

import msgspec

from shared.bus.requests import send_request_encoded
from shared.bus.responder import Handler, Responder
from shared.contracts import trading as contract
from shared.contracts import trading_replies as replies
from shared.contracts.order_terms import Account, OrderType, Product, Side, Validity
from shared.contracts.trading import Operation, trading_subject
from shared.errors import RequestError, Unavailable
from shared.runtime.clock import SystemClock
from tests.support.builders import KEY, MONDAY_10_00
from tests.support.buses import bus_of
from tests.support.servers import NatsServer
from tests.support.services import running_components
from tests.support.waiting import eventually

CLOCK: Final = SystemClock()
ORDER: Final = replies.OrderView(
    order_id="o-1", account=Account.PAPER, key=KEY, side=Side.BUY, product=Product.INTRADAY,
    order_type=OrderType.LIMIT, validity=Validity.DAY, quantity=10, filled_quantity=4,
    state="partly_filled", created_at=MONDAY_10_00, event_count=3, price=Decimal("1400.05"),
    average_price=Decimal("1400.00"), charges=Decimal("0.42"),
)  # fmt: skip
TRADE: Final = replies.Trade(
    trade_id="t-1", order_id="o-1", key=KEY, side=Side.BUY, product=Product.INTRADAY, quantity=4,
    price=Decimal("1400.00"), traded_at=MONDAY_10_00,
)  # fmt: skip
POSITION: Final = replies.PositionView(
    key=KEY, product=Product.INTRADAY, quantity=4, buy_quantity=4, buy_value=Decimal("5600.00"),
    sell_quantity=0, sell_value=Decimal(0), realised=Decimal(0), average_price=Decimal("1400.00"),
    ltp=Decimal("1399.50"), unrealised=Decimal("-2.00"),
)  # fmt: skip
FUNDS: Final = replies.Funds(
    account=Account.PAPER, cash=Decimal("1000000.10"), realised=Decimal("-1.50"),
    charges=Decimal("0.42"), order_margin=Decimal("1680.06"), position_margin=Decimal("1120.00"),
    available=Decimal("997198.12"),
)  # fmt: skip
EVENT: Final = replies.UserEvent(
    seq=7, kind=replies.EventKind.FILL, at=MONDAY_10_00, order=ORDER, trade=TRADE,
    position=POSITION, funds=FUNDS,
)  # fmt: skip
PREVIEW: Final = replies.Preview(
    passed=False,
    rules=[replies.RuleResult(rule="lot", passed=False, detail="no", limit="65", value="10")],
    margin=Decimal("2800.10"),
    charges=replies.ChargesView(
        brokerage=Decimal("20.00"), transaction_tax=Decimal(0), exchange=Decimal("0.42"),
        investor_protection=Decimal("0.01"), sebi=Decimal("0.01"), stamp=Decimal("0.42"),
        dp=Decimal(0), gst=Decimal("3.68"), total=Decimal("24.54"),
    ),
    value=Decimal("14000.50"),
)  # fmt: skip
LIMITS: Final = replies.Limits(
    max_order_quantity=100_000, max_order_value=Decimal(5_000_000), max_open_orders=50,
    max_orders_per_sec=5, max_orders_per_day=500, max_daily_loss=Decimal(50_000),
    kill_switch=False, loss_lock=False,
    switches=[
        replies.ActiveSwitch(
            scope=replies.SwitchScope.INSTRUMENT, set_by=replies.SwitchSetter.ADMINISTRATOR,
            at=MONDAY_10_00, reason="halted", key=KEY,
        )
    ],
)  # fmt: skip
_ORDERS: Final = replies.OrdersReply(orders=[ORDER])

_TYPES: Final[dict[Operation, tuple[type[msgspec.Struct], msgspec.Struct]]] = {
    Operation.PLACE: (contract.OrderRequest, ORDER),
    Operation.PREVIEW: (contract.OrderRequest, PREVIEW),
    Operation.PREVIEW_CHANGES: (contract.PreviewChangesRequest, PREVIEW),
    Operation.MODIFY: (contract.ModifyRequest, ORDER),
    Operation.CANCEL: (contract.CancelRequest, ORDER),
    Operation.CANCEL_ALL: (contract.AccountCommand, _ORDERS),
    Operation.EXIT: (contract.ExitRequest, _ORDERS),
    Operation.RESET: (contract.AccountCommand, FUNDS),
    Operation.SET_KILL_SWITCH: (
        contract.SetKillSwitchRequest, replies.KillSwitch(is_on=True),
    ),
    Operation.ORDERS: (contract.OrdersQuery, replies.Orders(orders=[ORDER])),
    Operation.ORDER: (
        contract.OrderQuery,
        replies.OrderDetail(order=ORDER, events=[msgspec.Raw(b'{"type":"sending","at_ms":1}')]),
    ),
    Operation.TRADES: (contract.OrdersQuery, replies.Trades(trades=[TRADE])),
    Operation.POSITIONS: (
        contract.AccountQuery,
        replies.Positions(positions=[POSITION], charges=Decimal("0.42")),
    ),
    Operation.HOLDINGS: (
        contract.AccountQuery,
        replies.Holdings(
            holdings=[
                replies.Holding(
                    key=KEY, quantity=0, t1_quantity=4, average_price=Decimal("1400.00")
                )
            ]
        ),
    ),
    Operation.FUNDS: (contract.AccountQuery, FUNDS),
    Operation.LIMITS: (contract.AccountQuery, LIMITS),
    Operation.EVENTS: (contract.EventsQuery, replies.Events(events=[EVENT], last_seq=7)),
}  # fmt: skip
REPLIES: Final[Mapping[Operation, msgspec.Struct]] = {
    operation: reply for operation, (_, reply) in _TYPES.items()
}
"""What the fake replies to each operation."""


class FakeTrading:
    """The requests that it got; `error`, if set, is its answer to all further ones.

    `lost_answers` is the number of further requests that are noted and never answered. `events`,
    if set, are the stored events, which are answered in pages.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[int, Operation, Any]] = []
        """Partition, operation and request."""
        self.error: RequestError | None = None
        self.lost_answers = 0
        self.events: list[replies.UserEvent] | None = None

    @property
    def last(self) -> Any:
        """The last request."""
        return self.requests[-1][2]

    def handlers(self, partitions: int) -> dict[str, Handler[Any]]:
        """A handler of each operation of each partition, by subject."""
        return {
            trading_subject(partition, operation): Handler(
                request_type, self._handler(partition, operation, reply)
            )
            for partition in range(partitions)
            for operation, (request_type, reply) in _TYPES.items()
        }

    def _handler(
        self, partition: int, operation: Operation, reply: msgspec.Struct
    ) -> Callable[[Any], Awaitable[msgspec.Struct]]:
        async def handle(request: Any) -> msgspec.Struct:
            self.requests.append((partition, operation, request))
            if self.lost_answers:
                self.lost_answers -= 1
                await asyncio.Event().wait()  # until the responder drops the request
            if self.error is not None:
                raise self.error
            if self.events is not None and isinstance(request, contract.EventsQuery):
                return _page(self.events, request)
            return reply

        return handle


def _page(events: list[replies.UserEvent], query: contract.EventsQuery) -> replies.Events:
    after = [event for event in events if event.seq > query.after]
    last_seq = events[-1].seq if events else 0
    return replies.Events(events=after[: query.limit], last_seq=last_seq)


@asynccontextmanager
async def answering_trading(nats: NatsServer, *, partitions: int = 1) -> AsyncIterator[FakeTrading]:
    """A trading service that answers for all `partitions`."""
    fake = FakeTrading()
    async with bus_of(nats, "trading") as bus, bus_of(nats, "gateway") as gateway:
        responder = Responder(
            bus, CLOCK, fake.handlers(partitions),
            queue_group="trading", max_concurrent=4, max_queued=64,
        )  # fmt: skip

        async def answers() -> bool:
            # The responder subscribes to this subject last.
            subject = trading_subject(partitions - 1, Operation.EVENTS)
            query = contract.EventsQuery(user_id="nobody")
            try:
                await send_request_encoded(gateway, CLOCK, subject, query, timeout_secs=0.1)
            except Unavailable:
                return False
            return True

        async with running_components([responder]):
            await eventually(answers, what="trading answers")
            fake.requests.clear()
            yield fake
