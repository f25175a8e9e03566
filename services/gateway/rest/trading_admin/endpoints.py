"""The request handlers of administrators: kill switches, loss locks, and what a user's account shows."""

from aiohttp import web

from services.gateway.http.access import AccessControl
from services.gateway.rest.reply import NO_STORE, reply
from services.gateway.rest.trading.queries import (
    AccountParameters,
    EventsParameters,
    OrdersParameters,
)
from services.gateway.rest.trading.trading_client import Query, TradingClient
from services.gateway.rest.trading_admin import operations
from services.gateway.rest.trading_admin.admin_client import AdminClient
from services.gateway.rest.trading_admin.bodies import (
    InstrumentPath,
    LossLockLift,
    SwitchSetting,
    UserPath,
)
from shared.contracts.trading import Operation
from shared.contracts.trading_admin import AdminOperation, SwitchesQuery, UserAdminOperation
from shared.runtime.logs import get_logger
from shared.web import openapi
from shared.web.problems import Handler, read_body, read_path, read_query

log = get_logger(__name__)


class TradingAdminEndpoints:
    """The operations of administrators with their handlers.

    The administrator is the user of the access token, which must have the role. No operation
    places, changes or cancels an order.
    """

    def __init__(self, access: AccessControl, trading: TradingClient, admin: AdminClient) -> None:
        self._access = access
        self._trading = trading
        self._admin = admin

    def table(self) -> list[tuple[openapi.Operation, Handler]]:
        """The handler of each operation."""
        return [
            (operations.SWITCHES, self.switches),
            (operations.SET_GLOBAL_SWITCH, self.set_global_switch),
            (operations.SET_INSTRUMENT_SWITCH, self.set_instrument_switch),
            (operations.SET_USER_SWITCH, self.set_user_switch),
            (operations.LIFT_LOSS_LOCK, self.lift_loss_lock),
            (operations.USER_LIMITS, self.user_limits),
            (operations.USER_ORDERS, self.user_orders),
            (operations.USER_EVENTS, self.user_events),
        ]

    async def switches(self, request: web.Request) -> web.Response:
        await self._access.authenticate_admin(request)
        body = await self._admin.send(AdminOperation.SWITCHES, SwitchesQuery())
        return await reply(request, body, NO_STORE)

    async def set_global_switch(self, request: web.Request) -> web.Response:
        return await self._set_switch(request, None)

    async def set_instrument_switch(self, request: web.Request) -> web.Response:
        return await self._set_switch(request, InstrumentPath)

    async def set_user_switch(self, request: web.Request) -> web.Response:
        by = await self._administrator(request)
        user_id = read_path(request, UserPath).user_id
        setting = (await read_body(request, SwitchSetting)).request_for_user(by, user_id)
        body = await self._admin.send_for_user(UserAdminOperation.SET_USER_SWITCH, setting)
        return await reply(request, body, NO_STORE)

    async def lift_loss_lock(self, request: web.Request) -> web.Response:
        by = await self._administrator(request)
        user_id = read_path(request, UserPath).user_id
        lift = (await read_body(request, LossLockLift)).request(by, user_id)
        body = await self._admin.send_for_user(UserAdminOperation.LIFT_LOSS_LOCK, lift)
        return await reply(request, body, NO_STORE)

    async def user_limits(self, request: web.Request) -> web.Response:
        by, user_id = await self._reader(request)
        query = read_query(request, AccountParameters).query(user_id)
        return await self._read(request, by, Operation.LIMITS, query)

    async def user_orders(self, request: web.Request) -> web.Response:
        by, user_id = await self._reader(request)
        query = read_query(request, OrdersParameters).page(user_id)
        return await self._read(request, by, Operation.ORDERS, query)

    async def user_events(self, request: web.Request) -> web.Response:
        by, user_id = await self._reader(request)
        query = read_query(request, EventsParameters).request(user_id)
        return await self._read(request, by, Operation.EVENTS, query)

    async def _set_switch(
        self, request: web.Request, path: type[InstrumentPath] | None
    ) -> web.Response:
        by = await self._administrator(request)
        key = None if path is None else read_path(request, path).key
        setting = (await read_body(request, SwitchSetting)).request(by, key)
        body = await self._admin.send(AdminOperation.SET_SWITCH, setting)
        return await reply(request, body, NO_STORE)

    async def _administrator(self, request: web.Request) -> str:
        """The user id of the administrator."""
        return (await self._access.authenticate_admin(request)).user_id

    async def _reader(self, request: web.Request) -> tuple[str, str]:
        """The administrator, and the user whose account is read."""
        return await self._administrator(request), read_path(request, UserPath).user_id

    async def _read(
        self, request: web.Request, by: str, operation: Operation, query: Query
    ) -> web.Response:
        log.info(
            "account read by an administrator", operation=operation.value, user=query.user_id, by=by
        )
        return await reply(request, await self._trading.query(operation, query), NO_STORE)
