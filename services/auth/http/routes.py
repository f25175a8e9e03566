"""The HTTP side of auth: requests in, answers out."""

import json
import re
from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web
from pydantic import BaseModel

from services.auth import metrics
from services.auth.core.accounts import Accounts, Credentials
from services.auth.core.admin import Admin
from services.auth.core.logins import LoggedIn, Logins
from services.auth.core.records import Caller, Client, LoginSession
from services.auth.http import cookies, operations
from services.auth.http.authenticator import Authenticator
from services.auth.http.same_origin import check_same_origin
from services.auth.http.schemas import (
    Account,
    Ended,
    LoginRequest,
    NewPasswordRequest,
    PasswordRequest,
    RefreshRequest,
    SessionBody,
    Sessions,
    SignupRequest,
    Tokens,
    UserBody,
    Users,
    UsersQuery,
)
from services.auth.signing.key_watch import KeyWatcher
from shared.errors import NotFound, Unauthenticated
from shared.market.exchange_time import to_datetime
from shared.runtime.health import Readiness, health_routes
from shared.web.bearer import bearer_token
from shared.web.forwarded import ForwardedHeaders
from shared.web.openapi import Operation
from shared.web.problems import problems, read_body, read_query

MAX_BODY_BYTES: Final = 16 * 1024
_MAX_AGENT_CHARS: Final = 200
_JWKS_HEADERS: Final = {"Cache-Control": "public, max-age=300"}
# RFC 6749, 5.1: an answer with a token in it is kept by nobody on the way.
_PRIVATE_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_ID: Final = re.compile(r"[0-9a-f]{32}")

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Endpoints:
    """Every path of the auth service, and what answers it.

    `allowed_origins` are origins of our own pages, besides the host that a request names.
    """

    def __init__(
        self,
        *,
        accounts: Accounts,
        logins: Logins,
        admin: Admin,
        access: Authenticator,
        keys: KeyWatcher,
        forwarded: ForwardedHeaders,
        allowed_origins: Collection[str],
        now_ms: Callable[[], int],
    ) -> None:
        self._accounts = accounts
        self._logins = logins
        self._admin = admin
        self._access = access
        self._keys = keys
        self._forwarded = forwarded
        self._allowed_origins = allowed_origins
        self._now_ms = now_ms
        self._openapi = operations.openapi()

    def table(self) -> list[tuple[Operation, Handler]]:
        """All endpoints on one page."""
        return [
            (operations.SIGNUP, self.signup),
            (operations.LOGIN, self.login),
            (operations.REFRESH, self.refresh),
            (operations.LOGOUT, self.logout),
            (operations.LOGOUT_ALL, self.logout_all),
            (operations.REAUTHENTICATE, self.reauthenticate),
            (operations.PASSWORD, self.change_password),
            (operations.ME, self.me),
            (operations.SESSIONS, self.sessions),
            (operations.REVOKE_SESSION, self.revoke_session),
            (operations.USERS, self.users),
            (operations.DISABLE, self.disable),
            (operations.ENABLE, self.enable),
            (operations.REVOKE_USER, self.revoke_user),
            (operations.JWKS, self.jwks),
        ]

    async def signup(self, request: web.Request) -> web.Response:
        body = await read_body(request, SignupRequest)
        user = await self._accounts.signup(body.email, body.password, self._client(request))
        return _answer(Account.of(user), HTTPStatus.CREATED)

    async def login(self, request: web.Request) -> web.Response:
        body = await read_body(request, LoginRequest)
        device_token = body.device_token
        if body.cookie:
            self._check_same_origin(request)
            device_token = request.cookies.get(cookies.DEVICE)
        login, device_token = await self._accounts.login(
            Credentials(body.email, body.password, device_token),
            self._client(request),
            by_cookie=body.cookie,
        )
        response = self._logged_in(login, device_token)
        if body.cookie:
            cookies.set_device(response, device_token)
        return response

    async def refresh(self, request: web.Request) -> web.Response:
        token = await self._refresh_token(request)
        if token is None:
            raise Unauthenticated("send the refresh token in the body, or as a cookie")
        return self._logged_in(await self._logins.renew(token, self._client(request)))

    async def logout(self, request: web.Request) -> web.Response:
        session: LoginSession | None
        if hdrs.AUTHORIZATION in request.headers:
            await _refresh_body(request)  # whatever it says, it must have a form that we know
            session = (await self._caller(request)).session
        else:
            token = await self._refresh_token(request)
            if token is None:
                raise Unauthenticated("send an access token or a refresh token")
            session = await self._logins.session_of(token)
        if session is not None:
            await self._logins.logout(session, self._client(request))
        response = _done()
        if cookies.REFRESH in request.cookies:
            cookies.clear_refresh(response)
        return response

    async def logout_all(self, request: web.Request) -> web.Response:
        caller = await self._caller(request)
        response = _answer(Ended(sessions_ended=await self._logins.logout_everywhere(caller)))
        if cookies.REFRESH in request.cookies:
            cookies.clear_refresh(response)
        return response

    async def reauthenticate(self, request: web.Request) -> web.Response:
        caller = await self._caller(request)
        body = await read_body(request, PasswordRequest)
        await self._accounts.reauthenticate(caller, body.password)
        return _done()

    async def change_password(self, request: web.Request) -> web.Response:
        caller = await self._caller(request)
        body = await read_body(request, NewPasswordRequest)
        ended = await self._accounts.change_password(
            caller, body.current_password, body.new_password
        )
        return _answer(Ended(sessions_ended=ended))

    async def me(self, request: web.Request) -> web.Response:
        return _answer(Account.of((await self._caller(request)).user))

    async def sessions(self, request: web.Request) -> web.Response:
        caller = await self._caller(request)
        current = caller.session.session_id
        bodies = [
            SessionBody.of(session, current=session.session_id == current)
            for session in await self._logins.of(caller)
        ]
        return _answer(Sessions(sessions=bodies))

    async def revoke_session(self, request: web.Request) -> web.Response:
        caller = await self._caller(request)
        await self._logins.revoke(caller, _id(request, "session_id"))
        return _done()

    async def users(self, request: web.Request) -> web.Response:
        caller = await self._caller(request)
        query = read_query(request, UsersQuery)
        # One more than asked for, to see whether there is another page.
        found = await self._admin.page(caller, query.after, query.limit + 1)
        page = found[: query.limit]
        more = page[-1].email if len(found) > len(page) else None
        return _answer(Users(users=[UserBody.of(user) for user in page], next=more))

    async def disable(self, request: web.Request) -> web.Response:
        caller = await self._caller(request)
        ended = await self._admin.disable(caller, _id(request, "user_id"))
        return _answer(Ended(sessions_ended=ended))

    async def enable(self, request: web.Request) -> web.Response:
        caller = await self._caller(request)
        await self._admin.enable(caller, _id(request, "user_id"))
        return _done()

    async def revoke_user(self, request: web.Request) -> web.Response:
        caller = await self._caller(request)
        ended = await self._admin.revoke(caller, _id(request, "user_id"))
        return _answer(Ended(sessions_ended=ended))

    async def jwks(self, _: web.Request) -> web.Response:
        return web.json_response(text=json.dumps(self._keys.jwks()), headers=_JWKS_HEADERS)

    async def openapi(self, _: web.Request) -> web.Response:
        """The document that describes all of the above."""
        return web.json_response(text=self._openapi)

    def _logged_in(self, login: LoggedIn, device_token: str | None = None) -> web.Response:
        response = _answer(Tokens.of(login, device_token=device_token))
        session = login.session
        if session.by_cookie:
            now = to_datetime(self._now_ms())
            cookies.set_refresh(response, login.refresh_token, now, session.ends_at)
        return response

    async def _refresh_token(self, request: web.Request) -> str | None:
        """From the body, or from the cookie if the browser says that the page is ours."""
        body = await _refresh_body(request)
        if body.refresh_token is not None:
            return body.refresh_token.get_secret_value()
        token = request.cookies.get(cookies.REFRESH)
        if token is not None:
            self._check_same_origin(request)
        return token

    def _check_same_origin(self, request: web.Request) -> None:
        check_same_origin(
            request.headers.get("Sec-Fetch-Site"),
            request.headers.get(hdrs.ORIGIN),
            self._forwarded.host(request),
            self._allowed_origins,
        )

    def _client(self, request: web.Request) -> Client:
        address = self._forwarded.address(request)
        # Bytes that are no text come as surrogates, which nothing can store.
        agent = request.headers.get(hdrs.USER_AGENT, "").encode(errors="replace").decode()
        return Client(address[:64], agent[:_MAX_AGENT_CHARS])

    async def _caller(self, request: web.Request) -> Caller:
        return await self._access.caller(bearer_token(request), self._client(request))


def application(endpoints: Endpoints, readiness: Readiness) -> web.Application:
    """The whole HTTP door: endpoints, health, error answers and the limit on bodies."""
    app = web.Application(middlewares=[problems], client_max_size=MAX_BODY_BYTES)
    for operation, handler in endpoints.table():
        counted = _counted(operation, handler)
        app.router.add_route(operation.method, operation.path, counted)
    app.add_routes([web.get("/auth/openapi.json", endpoints.openapi), *health_routes(readiness)])
    return app


def _counted(operation: Operation, handler: Handler) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        with metrics.outcome(operation.name):
            return await handler(request)

    return handle


async def _refresh_body(request: web.Request) -> RefreshRequest:
    """An empty body asks for what its cookie names."""
    if not request.can_read_body:
        return RefreshRequest()
    return await read_body(request, RefreshRequest)


def _answer(body: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    text = body.model_dump_json(exclude_none=True)
    return web.json_response(text=text, status=status, headers=_PRIVATE_HEADERS)


def _done() -> web.Response:
    return web.Response(status=HTTPStatus.NO_CONTENT, headers=_PRIVATE_HEADERS)


def _id(request: web.Request, name: str) -> str:
    """Raises NotFound for what cannot be an id of ours."""
    value = request.match_info[name]
    if _ID.fullmatch(value) is None:
        raise NotFound(f"no such {name}")
    return value
