"""The query and path parameters of the operations on orders and accounts."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from services.gateway.rest.models import Input, Key
from shared.contracts.order_terms import Account, Product
from shared.contracts.trading import (
    MAX_ORDERS,
    AccountCommand,
    AccountQuery,
    EventsQuery,
    ExitRequest,
    OrdersQuery,
)

_MAX_SEQUENCE = 2**53 - 1


def _true_or_false(text: object) -> bool:
    if text not in ("true", "false"):
        raise ValueError("must be `true` or `false`")
    return text == "true"


Limit = Annotated[int, Field(ge=1, le=MAX_ORDERS)]
OrderId = Annotated[str, Field(min_length=1, max_length=64, pattern="^[A-Za-z0-9_.:-]+$")]


class OrderPath(Input):
    """The path of an order."""

    order_id: OrderId
    """The `order_id` of an order of the user."""


class PositionPath(Input):
    """The path of a position."""

    key: Key
    """Instrument key, percent-encoded: `NSE_EQ%7CINE002A01018`."""


class AccountParameters(Input):
    """The account that an operation is about."""

    account: Account
    """`paper` or `upstox`. It has no default."""

    def query(self, user_id: str) -> AccountQuery:
        """The request that reads the account."""
        return AccountQuery(user_id=user_id, account=self.account)

    def command(self, user_id: str, command_key: str) -> AccountCommand:
        """The command for the account."""
        return AccountCommand(user_id=user_id, command_key=command_key, account=self.account)

    def exit_all(self, user_id: str, command_key: str) -> ExitRequest:
        """The command that closes all positions."""
        return ExitRequest(user_id=user_id, command_key=command_key, account=self.account)


class PositionParameters(AccountParameters):
    """The product and account of a position."""

    product: Product
    """The product of the position: one instrument can have a position in each product."""

    def exit_one(self, key: str, user_id: str, command_key: str) -> ExitRequest:
        """The command that closes the position in the instrument `key`."""
        return ExitRequest(
            user_id=user_id,
            command_key=command_key,
            account=self.account,
            key=key,
            product=self.product,
        )


class TradesParameters(AccountParameters):
    """Trades of the trading day, the newest first."""

    limit: Limit = MAX_ORDERS
    """Maximum number of results."""

    def page(self, user_id: str) -> OrdersQuery:
        """The request for the trades."""
        return OrdersQuery(user_id=user_id, account=self.account, limit=self.limit)


class OrdersParameters(TradesParameters):
    """Orders of the trading day, the newest first."""

    open_only: Annotated[bool, BeforeValidator(_true_or_false, json_schema_input_type=bool)] = False
    """`true`: only orders that can still be filled."""

    def page(self, user_id: str) -> OrdersQuery:
        """The request for the orders."""
        return OrdersQuery(
            user_id=user_id, account=self.account, open_only=self.open_only, limit=self.limit
        )


class EventsParameters(Input):
    """Events of the user after a sequence number, the oldest first."""

    after: Annotated[int, Field(ge=0, le=_MAX_SEQUENCE)] = 0
    """The last `seq` that the client knows; 0 for the first page."""
    limit: Limit = MAX_ORDERS
    """Maximum number of events on a page."""

    def request(self, user_id: str) -> EventsQuery:
        """The request for the events."""
        return EventsQuery(user_id=user_id, after=self.after, limit=self.limit)
