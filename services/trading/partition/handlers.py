"""The handlers of a partition's requests, by operation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.trading.partition.account_commands import AccountCommands
from services.trading.partition.database_errors import or_unavailable
from services.trading.partition.order_commands import OrderCommands
from services.trading.partition.queries import Queries
from shared.bus.responder import Handler
from shared.contracts.trading import (
    AccountCommand,
    AccountQuery,
    CancelRequest,
    EventsQuery,
    ExitRequest,
    ModifyRequest,
    Operation,
    OrderQuery,
    OrderRequest,
    OrdersQuery,
    PreviewChangesRequest,
    SetKillSwitchRequest,
    trading_subject,
)
from shared.contracts.upstox_links import LinkOperation


@dataclass(frozen=True, slots=True)
class Requests:
    """Handlers for the requests of one term."""

    orders: OrderCommands
    accounts: AccountCommands
    queries: Queries
    links: Mapping[LinkOperation, Handler[Any]]

    def by_subject(self, partition: int) -> dict[str, Handler[Any]]:
        """All handlers by their subjects."""
        handlers: dict[Operation, Handler[Any]] = {
            Operation.PLACE: Handler(OrderRequest, self.orders.place),
            Operation.PREVIEW: Handler(OrderRequest, self.orders.preview),
            Operation.PREVIEW_CHANGES: Handler(PreviewChangesRequest, self.orders.preview_changes),
            Operation.MODIFY: Handler(ModifyRequest, self.orders.modify),
            Operation.CANCEL: Handler(CancelRequest, self.orders.cancel),
            Operation.CANCEL_ALL: Handler(AccountCommand, self.accounts.cancel_all),
            Operation.EXIT: Handler(ExitRequest, self.accounts.exit),
            Operation.RESET: Handler(AccountCommand, self.accounts.reset),
            Operation.SET_KILL_SWITCH: Handler(SetKillSwitchRequest, self.accounts.set_kill_switch),
            Operation.ORDERS: Handler(OrdersQuery, self.queries.orders),
            Operation.ORDER: Handler(OrderQuery, self.queries.order),
            Operation.TRADES: Handler(OrdersQuery, self.queries.trades),
            Operation.POSITIONS: Handler(AccountQuery, self.queries.positions),
            Operation.HOLDINGS: Handler(AccountQuery, self.queries.holdings),
            Operation.FUNDS: Handler(AccountQuery, self.queries.funds),
            Operation.LIMITS: Handler(AccountQuery, self.queries.limits),
            Operation.EVENTS: Handler(EventsQuery, self.queries.events),
        }
        return {
            trading_subject(partition, operation): or_unavailable(handler)
            for operation, handler in (*handlers.items(), *self.links.items())
        }
