"""Orders, accounts and their links: commands, each executed at most once, queries and events."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from tradedad_client import link_requests
from tradedad_client import trading_requests as requests
from tradedad_client.account_events import AccountEvents
from tradedad_client.instruments import Instruments
from tradedad_client.link_messages import LinkLogin, LinkPurpose, LinkStatus
from tradedad_client.messages import Gap, OrderEvent
from tradedad_client.order_terms import (
    Account,
    NewOrder,
    OrderChanges,
    OrderType,
    Product,
    Validity,
)
from tradedad_client.rest import RestClient
from tradedad_client.subscription import Subscription
from tradedad_client.trading_messages import (
    Events,
    Funds,
    Holding,
    HoldingList,
    KillSwitch,
    Limits,
    Order,
    OrderDetail,
    OrderList,
    Positions,
    Preview,
    Trade,
    TradeList,
)

_MAX_RESULTS: Final = 200


class Trading:
    """The user's orders and accounts.

    Each command has a key. If its answer is lost, the command is sent again with the same key, so
    it is executed at most once. If no answer comes in time, OutcomeUnknown is raised: call the
    method again with its `command_key`. A program that must find out also after its own end
    passes a `command_key` of its own, at most 64 of ``A-Z a-z 0-9 _ . : -``, and stores it first.

    Commands raise OutcomeUnknown, Unavailable (the command was not executed), OrderRefused,
    OrderFinal, NotFound or another Refused. Queries raise Unavailable or Refused. Calls for links
    have no key, and raise what queries raise.

    An instrument is named as in `Instruments`. An unknown name raises UnknownInstrument before
    anything is sent.
    """

    def __init__(
        self,
        rest: RestClient,
        instruments: Instruments,
        subscribe: Callable[[], Subscription[OrderEvent | Gap]],
    ) -> None:
        self._rest = rest
        self._instruments = instruments
        self._subscribe = subscribe

    async def place(self, order: NewOrder, *, command_key: str | None = None) -> Order:
        """Place an order and return it as accepted; its fills come as events."""
        order = await self._by_key(order)
        return await self._rest.send(requests.place(order, command_key), Order)

    async def preview(self, order: NewOrder) -> Preview:
        """Return the result of each check of an order, its margin and its charges."""
        return await self._rest.send(requests.preview(await self._by_key(order)), Preview)

    async def preview_changes(
        self,
        order_id: str,
        *,
        quantity: int | None = None,
        order_type: OrderType | None = None,
        validity: Validity | None = None,
        price: Decimal | None = None,
        trigger_price: Decimal | None = None,
        disclosed_quantity: int | None = None,
    ) -> Preview:
        """Return the result of each check of an open order with new terms, as `modify` takes them."""
        changes = OrderChanges(
            quantity=quantity,
            order_type=order_type,
            validity=validity,
            price=price,
            trigger_price=trigger_price,
            disclosed_quantity=disclosed_quantity,
        )
        return await self._rest.send(requests.preview_changes(order_id, changes), Preview)

    async def modify(
        self,
        order_id: str,
        *,
        quantity: int | None = None,
        order_type: OrderType | None = None,
        validity: Validity | None = None,
        price: Decimal | None = None,
        trigger_price: Decimal | None = None,
        disclosed_quantity: int | None = None,
        command_key: str | None = None,
    ) -> Order:
        """Change terms of an open order; None leaves a term as it is."""
        changes = OrderChanges(
            quantity=quantity,
            order_type=order_type,
            validity=validity,
            price=price,
            trigger_price=trigger_price,
            disclosed_quantity=disclosed_quantity,
        )
        return await self._rest.send(requests.modify(order_id, changes, command_key), Order)

    async def cancel(self, order_id: str, *, command_key: str | None = None) -> Order:
        """Cancel an open order."""
        return await self._rest.send(requests.cancel(order_id, command_key), Order)

    async def cancel_all(self, account: Account, *, command_key: str | None = None) -> list[Order]:
        """Cancel all open orders of an account; return them."""
        request = requests.cancel_all(account, command_key)
        return (await self._rest.send(request, OrderList)).orders

    async def exit(
        self, account: Account, instrument: str, product: Product, *, command_key: str | None = None
    ) -> list[Order]:
        """Close a position by a market order; return the orders, some of which may be refused."""
        key = await self._instruments.key(instrument)
        request = requests.exit_position(account, key, product, command_key)
        return (await self._rest.send(request, OrderList)).orders

    async def exit_all(self, account: Account, *, command_key: str | None = None) -> list[Order]:
        """Close all positions of an account by market orders, as `exit` does."""
        request = requests.exit_all(account, command_key)
        return (await self._rest.send(request, OrderList)).orders

    async def set_kill_switch(self, is_on: bool, *, command_key: str | None = None) -> bool:
        """Stop (True) or allow (False) new orders; return whether the user has stopped them.

        A kill switch that an administrator has set stays on: see `limits`.
        """
        request = requests.set_kill_switch(is_on, command_key)
        return (await self._rest.send(request, KillSwitch)).is_on

    async def reset_paper(self, *, command_key: str | None = None) -> Funds:
        """Reset the paper account: no orders, no positions, the initial cash."""
        return await self._rest.send(requests.reset_paper(command_key), Funds)

    async def orders(
        self, account: Account, *, open_only: bool = False, limit: int = _MAX_RESULTS
    ) -> list[Order]:
        """Return orders of the trading day, the newest first."""
        request = requests.orders(account, open_only=open_only, limit=limit)
        return (await self._rest.send(request, OrderList)).orders

    async def order(self, order_id: str) -> OrderDetail:
        """Return an order of the trading day with its events."""
        return await self._rest.send(requests.order(order_id), OrderDetail)

    async def trades(self, account: Account, *, limit: int = _MAX_RESULTS) -> list[Trade]:
        """Return trades of the trading day, the newest first."""
        request = requests.trades(account, limit=limit)
        return (await self._rest.send(request, TradeList)).trades

    async def positions(self, account: Account) -> Positions:
        """Return the positions of the trading day, closed ones included, and its charges."""
        return await self._rest.send(requests.of_account("positions", account), Positions)

    async def holdings(self, account: Account) -> list[Holding]:
        """Return shares that are delivered, or arrive on the next trading day."""
        request = requests.of_account("holdings", account)
        return (await self._rest.send(request, HoldingList)).holdings

    async def funds(self, account: Account) -> Funds:
        """Return the money of an account."""
        return await self._rest.send(requests.of_account("funds", account), Funds)

    async def limits(self, account: Account) -> Limits:
        """Return the limits of the user's orders."""
        return await self._rest.send(requests.of_account("limits", account), Limits)

    async def events(self, after: int = 0, *, limit: int = _MAX_RESULTS) -> Events:
        """Return a page of events after a `seq`, the oldest first."""
        return await self._rest.send(requests.events(after, limit=limit), Events)

    async def link_status(self, *, purpose: LinkPurpose = LinkPurpose.TRADING) -> LinkStatus:
        """Return the state of the link to an Upstox account."""
        return await self._rest.send(link_requests.status(purpose), LinkStatus)

    async def link(
        self,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        purpose: LinkPurpose = LinkPurpose.TRADING,
    ) -> LinkLogin:
        """Start a login at Upstox; return the `login_url` that the user's browser must open.

        The page after the login shows a text for `finish_link`.
        `client_id` and `client_secret` are those of the user's own app at Upstox; without them the
        operator's app is used.
        """
        request = link_requests.begin(purpose, client_id, client_secret)
        return await self._rest.send(request, LinkLogin)

    async def finish_link(self, answer: str) -> LinkStatus:
        """Make the link of a login that the same user has started; return it.

        `answer` is the text of the page after the login. It can be used once. After Unavailable
        the link may have been made: see `link_status`.
        """
        return await self._rest.send(link_requests.finish(answer), LinkStatus)

    async def request_link(self, *, purpose: LinkPurpose = LinkPurpose.TRADING) -> LinkStatus:
        """Let Upstox ask the user for a new token, in its app or by WhatsApp."""
        return await self._rest.send(link_requests.renew(purpose), LinkStatus)

    async def unlink(self, *, purpose: LinkPurpose = LinkPurpose.TRADING) -> LinkStatus:
        """Log out at Upstox and forget the link."""
        return await self._rest.send(link_requests.unlink(purpose), LinkStatus)

    def follow(self, after: int | None = None) -> AccountEvents:
        """Follow the events after a `seq`, or after the newest one; none is left out or repeated.

        Call it within `async with` of a client that has a stream.
        """
        return AccountEvents(self._subscribe(), self.events, after)

    async def _by_key(self, order: NewOrder) -> NewOrder:
        """Return the order with the key of its instrument in place of a name."""
        return msgspec.structs.replace(order, key=await self._instruments.key(order.key))
