"""HTTP handlers of accounts: sign-up, login, password and the caller's account."""

from http import HTTPStatus

from aiohttp import web

from services.auth.core.accounts import AccountService, Credentials
from services.auth.http import cookies, operations
from services.auth.http.request_context import RequestContext
from services.auth.http.responses import json_response, no_content, tokens_response
from services.auth.http.routes import Route
from services.auth.http.schemas import (
    Account,
    Ended,
    LoginRequest,
    NewPasswordRequest,
    PasswordRequest,
    SignupRequest,
)
from shared.market.exchange_time import to_datetime
from shared.runtime.clock import Clock
from shared.web.problems import read_body


class AccountHandlers:
    """Handles the operations of the tag `accounts`."""

    def __init__(self, accounts: AccountService, context: RequestContext, clock: Clock) -> None:
        self._accounts = accounts
        self._context = context
        self._clock = clock

    def routes(self) -> list[Route]:
        """Each operation with its handler."""
        return [
            (operations.SIGNUP, self.signup),
            (operations.LOGIN, self.login),
            (operations.REAUTHENTICATE, self.reauthenticate),
            (operations.PASSWORD, self.change_password),
            (operations.ME, self.me),
        ]

    async def signup(self, request: web.Request) -> web.Response:
        body = await read_body(request, SignupRequest)
        source = self._context.source(request)
        user = await self._accounts.signup(body.email, body.password, source)
        return json_response(Account.of(user), HTTPStatus.CREATED)

    async def login(self, request: web.Request) -> web.Response:
        body = await read_body(request, LoginRequest)
        device_token = body.device_token
        if body.cookie:
            self._context.check_same_origin(request)
            device_token = request.cookies.get(cookies.DEVICE)
        tokens, device_token = await self._accounts.login(
            Credentials(body.email, body.password, device_token),
            self._context.source(request),
            by_cookie=body.cookie,
        )
        now = to_datetime(self._clock.now_ms())
        response = tokens_response(tokens, now, device_token=device_token)
        if body.cookie:
            cookies.set_device(response, device_token)
        return response

    async def reauthenticate(self, request: web.Request) -> web.Response:
        caller = await self._context.caller(request)
        body = await read_body(request, PasswordRequest)
        await self._accounts.reauthenticate(caller, body.password)
        return no_content()

    async def change_password(self, request: web.Request) -> web.Response:
        caller = await self._context.caller(request)
        body = await read_body(request, NewPasswordRequest)
        ended = await self._accounts.change_password(
            caller, body.current_password, body.new_password
        )
        return json_response(Ended(sessions_ended=ended))

    async def me(self, request: web.Request) -> web.Response:
        caller = await self._context.caller(request)
        return json_response(Account.of(caller.user))
