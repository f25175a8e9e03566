"""The request handlers of orders and accounts."""

from http import HTTPStatus
from urllib.parse import quote

import msgspec
from aiohttp import hdrs, web

from services.gateway.http.access import AccessControl
from services.gateway.rest.reply import NO_STORE, reply
from services.gateway.rest.trading import operations
from services.gateway.rest.trading.bodies import KillSwitchSetting, NewOrder, OrderChanges
from services.gateway.rest.trading.command_key import command_key
from services.gateway.rest.trading.queries import (
    AccountParameters,
    EventsParameters,
    OrderPath,
    OrdersParameters,
    PositionParameters,
    PositionPath,
    TradesParameters,
)
from services.gateway.rest.trading.trading_client import Command, Query, TradingClient
from shared.contracts.order_terms import Account
from shared.contracts.strict_json import decode_json
from shared.contracts.trading import AccountCommand, CancelRequest, Operation, OrderQuery
from shared.errors import Unavailable
from shared.web import openapi
from shared.web.exact_body import read_exact_body
from shared.web.problems import Handler, read_path, read_query


class _Placed(msgspec.Struct, frozen=True):
    order_id: str


class TradingEndpoints:
    """The operations on orders and accounts with their handlers.

    The user is always that of the access token.
    """

    def __init__(self, access: AccessControl, trading: TradingClient) -> None:
        self._access = access
        self._trading = trading

    def table(self) -> list[tuple[openapi.Operation, Handler]]:
        """The handler of each operation."""
        return [
            (operations.PLACE, self.place),
            (operations.PREVIEW, self.preview),
            (operations.ORDERS, self.orders),
            (operations.CANCEL_ALL, self.cancel_all),
            (operations.EVENTS, self.events),
            (operations.ORDER, self.order),
            (operations.PREVIEW_CHANGES, self.preview_changes),
            (operations.MODIFY, self.modify),
            (operations.CANCEL, self.cancel),
            (operations.TRADES, self.trades),
            (operations.POSITIONS, self._of_account(Operation.POSITIONS)),
            (operations.EXIT_ALL, self.exit_all),
            (operations.EXIT, self.exit_one),
            (operations.HOLDINGS, self._of_account(Operation.HOLDINGS)),
            (operations.FUNDS, self._of_account(Operation.FUNDS)),
            (operations.ACCOUNT_LIMITS, self._of_account(Operation.LIMITS)),
            (operations.SET_KILL_SWITCH, self.set_kill_switch),
            (operations.RESET, self.reset),
        ]

    async def place(self, request: web.Request) -> web.Response:
        user_id, key = await self._commander(request)
        order = await read_exact_body(request, NewOrder)
        body = await self._trading.command(Operation.PLACE, order.request(user_id, key))
        try:
            order_id = decode_json(body, _Placed).order_id
        except msgspec.DecodeError:
            raise Unavailable("the order was accepted, but the reply cannot be decoded") from None
        response = await reply(request, body, NO_STORE, HTTPStatus.CREATED)
        response.headers[hdrs.LOCATION] = f"{operations.PLACE.path}/{quote(order_id, safe='')}"
        return response

    async def preview(self, request: web.Request) -> web.Response:
        user_id = await self._user_id(request)
        order = await read_exact_body(request, NewOrder)
        return await self._query(request, Operation.PREVIEW, order.preview(user_id))

    async def orders(self, request: web.Request) -> web.Response:
        user_id = await self._user_id(request)
        page = read_query(request, OrdersParameters).page(user_id)
        return await self._query(request, Operation.ORDERS, page)

    async def cancel_all(self, request: web.Request) -> web.Response:
        user_id, key = await self._commander(request)
        command = read_query(request, AccountParameters).command(user_id, key)
        return await self._command(request, Operation.CANCEL_ALL, command)

    async def events(self, request: web.Request) -> web.Response:
        user_id = await self._user_id(request)
        query = read_query(request, EventsParameters).request(user_id)
        return await self._query(request, Operation.EVENTS, query)

    async def order(self, request: web.Request) -> web.Response:
        user_id = await self._user_id(request)
        order_id = read_path(request, OrderPath).order_id
        query = OrderQuery(user_id=user_id, order_id=order_id)
        return await self._query(request, Operation.ORDER, query)

    async def preview_changes(self, request: web.Request) -> web.Response:
        user_id = await self._user_id(request)
        order_id = read_path(request, OrderPath).order_id
        changes = await read_exact_body(request, OrderChanges)
        query = changes.preview(order_id, user_id)
        return await self._query(request, Operation.PREVIEW_CHANGES, query)

    async def modify(self, request: web.Request) -> web.Response:
        user_id, key = await self._commander(request)
        order_id = read_path(request, OrderPath).order_id
        changes = await read_exact_body(request, OrderChanges)
        command = changes.request(order_id, user_id, key)
        return await self._command(request, Operation.MODIFY, command)

    async def cancel(self, request: web.Request) -> web.Response:
        user_id, key = await self._commander(request)
        order_id = read_path(request, OrderPath).order_id
        command = CancelRequest(user_id=user_id, command_key=key, order_id=order_id)
        return await self._command(request, Operation.CANCEL, command)

    async def trades(self, request: web.Request) -> web.Response:
        user_id = await self._user_id(request)
        page = read_query(request, TradesParameters).page(user_id)
        return await self._query(request, Operation.TRADES, page)

    async def exit_all(self, request: web.Request) -> web.Response:
        user_id, key = await self._commander(request)
        command = read_query(request, AccountParameters).exit_all(user_id, key)
        return await self._command(request, Operation.EXIT, command)

    async def exit_one(self, request: web.Request) -> web.Response:
        user_id, key = await self._commander(request)
        instrument = read_path(request, PositionPath).key
        command = read_query(request, PositionParameters).exit_one(instrument, user_id, key)
        return await self._command(request, Operation.EXIT, command)

    async def set_kill_switch(self, request: web.Request) -> web.Response:
        user_id, key = await self._commander(request)
        command = (await read_exact_body(request, KillSwitchSetting)).request(user_id, key)
        return await self._command(request, Operation.SET_KILL_SWITCH, command)

    async def reset(self, request: web.Request) -> web.Response:
        user_id, key = await self._commander(request)
        command = AccountCommand(user_id=user_id, command_key=key, account=Account.PAPER)
        return await self._command(request, Operation.RESET, command)

    def _of_account(self, operation: Operation) -> Handler:
        """A handler that reads one account."""

        async def handler(request: web.Request) -> web.Response:
            user_id = await self._user_id(request)
            query = read_query(request, AccountParameters).query(user_id)
            return await self._query(request, operation, query)

        return handler

    async def _user_id(self, request: web.Request) -> str:
        return (await self._access.authenticate(request)).user_id

    async def _commander(self, request: web.Request) -> tuple[str, str]:
        """The user and the key of a command."""
        user_id = await self._user_id(request)
        return user_id, command_key(request)

    async def _query(
        self, request: web.Request, operation: Operation, query: Query
    ) -> web.Response:
        return await reply(request, await self._trading.query(operation, query), NO_STORE)

    async def _command(
        self, request: web.Request, operation: Operation, command: Command
    ) -> web.Response:
        return await reply(request, await self._trading.command(operation, command), NO_STORE)
