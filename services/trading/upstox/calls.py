"""The calls for one linked user, as the partition needs them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from services.trading.upstox.answers import Answer, Refused
from services.trading.upstox.rows import OrderBookRows, OrderRow, TradeRow
from shared.contracts.order_terms import Terms
from shared.contracts.trading_replies import Funds, Holdings, Positions

SendCheck = Callable[[], Refused | None]
"""Asked in the sending thread, right before a command is sent; a refusal means: not sent."""


def unchecked() -> None:
    """A SendCheck that refuses nothing."""


class UpstoxCalls(Protocol):
    """Calls with one access token.

    Commands never raise: a lost answer is `Lost`. Reads raise UpstoxUnauthorised if the token is
    refused, and UpstoxUnavailable on every other failure, with the cause. Rows that are not as
    documented are left out, counted and logged.
    """

    async def place(self, terms: Terms, tag: str, check: SendCheck = unchecked) -> Answer:
        """Send a new order once. `tag`: the order id, at most 40 characters."""
        ...

    async def modify(
        self, broker_order_id: str, terms: Terms, check: SendCheck = unchecked
    ) -> Answer:
        """Send the new `terms.prices` of an order once."""
        ...

    async def cancel(self, broker_order_id: str, check: SendCheck = unchecked) -> Answer:
        """Send a cancellation once."""
        ...

    async def orders(self) -> OrderBookRows:
        """The order book of the day: the latest state of each order."""
        ...

    async def orders_of_tag(self, tag: str) -> list[OrderRow]:
        """All states of all orders with this tag; empty if Upstox has none."""
        ...

    async def trades(self) -> list[TradeRow]:
        """All trades of the day."""
        ...

    async def positions(self) -> Positions:
        """Positions of the day; profit and loss are computed, not copied."""
        ...

    async def holdings(self) -> Holdings:
        """Shares in the demat account and T1."""
        ...

    async def funds(self) -> Funds:
        """Money of the account."""
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...


class UpstoxConnection(UpstoxCalls, Protocol):
    """The calls and the stream of one linked user."""

    def updates(self) -> AbstractAsyncContextManager[AsyncIterator[OrderRow]]:
        """A connection of the portfolio stream: each new state of each order.

        Opening and iterating raise UpstoxUnauthorised or UpstoxUnavailable with the cause; the
        iterator has no other end.
        """
        ...


OpenCalls = Callable[[str], Awaitable[UpstoxConnection]]
"""Makes the calls for an access token."""
