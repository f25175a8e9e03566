"""HTTP handlers of sessions: refresh, logout, list and revoke."""

from aiohttp import hdrs, web

from services.auth.core.entities import LoginSession
from services.auth.core.sessions import SessionService
from services.auth.http import operations
from services.auth.http.request_context import RequestContext, path_id, read_refresh_body
from services.auth.http.responses import (
    clear_refresh_cookie,
    json_response,
    no_content,
    tokens_response,
)
from services.auth.http.routes import Route
from services.auth.http.schemas import Ended, SessionBody, Sessions
from shared.errors import Unauthenticated
from shared.market.exchange_time import to_datetime
from shared.runtime.clock import Clock


class SessionHandlers:
    """Handles the operations of the tag `sessions`."""

    def __init__(self, sessions: SessionService, context: RequestContext, clock: Clock) -> None:
        self._sessions = sessions
        self._context = context
        self._clock = clock

    def routes(self) -> list[Route]:
        """Each operation with its handler."""
        return [
            (operations.REFRESH, self.refresh),
            (operations.LOGOUT, self.logout),
            (operations.LOGOUT_ALL, self.logout_all),
            (operations.SESSIONS, self.list_sessions),
            (operations.REVOKE_SESSION, self.revoke),
        ]

    async def refresh(self, request: web.Request) -> web.Response:
        refresh_token = await self._context.refresh_token(request)
        if refresh_token is None:
            raise Unauthenticated("send the refresh token in the body or as a cookie")
        tokens = await self._sessions.refresh(refresh_token, self._context.source(request))
        return tokens_response(tokens, to_datetime(self._clock.now_ms()))

    async def logout(self, request: web.Request) -> web.Response:
        session = await self._session_to_end(request)
        if session is not None:
            await self._sessions.logout(session, self._context.source(request))
        return clear_refresh_cookie(request, no_content())

    async def logout_all(self, request: web.Request) -> web.Response:
        caller = await self._context.caller(request)
        ended = await self._sessions.logout_all(caller)
        return clear_refresh_cookie(request, json_response(Ended(sessions_ended=ended)))

    async def list_sessions(self, request: web.Request) -> web.Response:
        caller = await self._context.caller(request)
        current_id = caller.session.session_id
        bodies = [
            SessionBody.of(session, current=session.session_id == current_id)
            for session in await self._sessions.list_sessions(caller)
        ]
        return json_response(Sessions(sessions=bodies))

    async def revoke(self, request: web.Request) -> web.Response:
        caller = await self._context.caller(request)
        await self._sessions.revoke(caller, path_id(request, "session_id"))
        return no_content()

    async def _session_to_end(self, request: web.Request) -> LoginSession | None:
        """Return the session of the access token or else of the refresh token.

        A refresh token that was replaced by a newer one names its session too. None if no
        session has this token: it is over already.
        """
        if hdrs.AUTHORIZATION in request.headers:
            await read_refresh_body(request)  # checked like any body, though it is not used
            return (await self._context.caller(request)).session
        refresh_token = await self._context.refresh_token(request)
        if refresh_token is None:
            raise Unauthenticated("send an access token or a refresh token")
        return await self._sessions.find_by_refresh_token(refresh_token)
