"""The bodies of the commands for orders."""

from typing import Annotated

from pydantic import Field, model_validator

from services.gateway.rest.models import Input, Key
from services.gateway.rest.trading.amounts import Amount
from shared.contracts.order_terms import Account, OrderType, Product, Side, Validity
from shared.contracts.trading import (
    MAX_QUANTITY,
    ModifyRequest,
    OrderRequest,
    PreviewChangesRequest,
    SetKillSwitchRequest,
)

Quantity = Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY)]
DisclosedQuantity = Annotated[int, Field(strict=True, ge=0, le=MAX_QUANTITY)]


class NewOrder(Input):
    """The terms of an order. Prices are in rupees: decimal strings, or JSON numbers."""

    account: Account
    """`paper` or `upstox`. It has no default."""
    key: Key
    """Instrument key, e.g. `NSE_EQ|INE002A01018`."""
    side: Side
    product: Product
    """`I` intraday, `D` delivery or carry-forward, `MTF` margin trading facility."""
    quantity: Quantity
    """In units; on MCX in lots."""
    order_type: OrderType
    validity: Validity = Validity.DAY
    price: Amount | None = None
    """The limit; required for `LIMIT` and `SL`."""
    trigger_price: Amount | None = None
    """Required for `SL` and `SL-M`."""
    disclosed_quantity: DisclosedQuantity = 0
    market_protection_percent: Amount | None = None
    """For `MARKET` and `SL-M`: the greatest distance from the reference price, in percent. If
    absent, it follows from the kind and the price of the instrument."""

    def request(self, user_id: str, command_key: str) -> OrderRequest:
        """The command that places the order."""
        return OrderRequest(user_id=user_id, command_key=command_key, **dict(self))

    def preview(self, user_id: str) -> OrderRequest:
        """The request that checks the order only."""
        return OrderRequest(user_id=user_id, **dict(self))


class OrderChanges(Input):
    """New terms of an open order. A field that is absent or null stays as it is."""

    quantity: Quantity | None = None
    """The new quantity of the whole order, filled shares included."""
    order_type: OrderType | None = None
    validity: Validity | None = None
    price: Amount | None = None
    trigger_price: Amount | None = None
    disclosed_quantity: DisclosedQuantity | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> "OrderChanges":
        if all(value is None for _, value in self):
            raise ValueError("give at least one field to change")
        return self

    def request(self, order_id: str, user_id: str, command_key: str) -> ModifyRequest:
        """The command that changes the order."""
        return ModifyRequest(
            user_id=user_id, command_key=command_key, order_id=order_id, **dict(self)
        )

    def preview(self, order_id: str, user_id: str) -> PreviewChangesRequest:
        """The request that checks the changes only."""
        return PreviewChangesRequest(user_id=user_id, order_id=order_id, **dict(self))


class KillSwitchSetting(Input):
    """Whether new orders of the user are stopped."""

    is_on: Annotated[bool, Field(strict=True)]

    def request(self, user_id: str, command_key: str) -> SetKillSwitchRequest:
        """The command that sets the switch."""
        return SetKillSwitchRequest(user_id=user_id, command_key=command_key, is_on=self.is_on)
