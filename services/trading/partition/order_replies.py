"""Answers of commands that were carried out: their orders as they are now."""

from collections.abc import Sequence

import msgspec

from services.trading.partition.ledger import Ledger
from shared.contracts.trading import Operation
from shared.contracts.trading_replies import OrdersReply
from shared.errors import NotFound


def answer_now(
    ledger: Ledger, operation: Operation, user_id: str, order_ids: Sequence[str]
) -> bytes:
    """The answer of a command whose own answer was lost, as far as its orders are known now.

    Raises NotFound if they are of an earlier day.
    """
    if operation in (Operation.CANCEL_ALL, Operation.EXIT):
        return orders_reply(ledger, user_id, order_ids)
    account = ledger.account(user_id)
    order = account.orders.get(order_ids[0])
    if order is None:
        raise NotFound(f"order {order_ids[0]} of this command is of an earlier trading day")
    return msgspec.json.encode(account.order_view(order))


def orders_reply(ledger: Ledger, user_id: str, order_ids: Sequence[str]) -> bytes:
    """The orders as they are now, as JSON; those of an earlier day are left out."""
    account = ledger.account(user_id)
    orders = [account.orders[order_id] for order_id in order_ids if order_id in account.orders]
    return msgspec.json.encode(OrdersReply(orders=[account.order_view(order) for order in orders]))
