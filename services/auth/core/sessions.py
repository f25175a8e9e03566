"""The use cases of sessions: start, refresh, list and end."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn
from uuid import uuid4

from services.auth.core.entities import (
    AccessToken,
    Caller,
    Event,
    LoginSession,
    RequestSource,
    SessionTermination,
    User,
)
from services.auth.core.ports import (
    AuditLog,
    RefreshTokenReused,
    RevocationNotifier,
    SessionStore,
    TerminationStore,
    TokenIssuer,
    UserStore,
)
from services.auth.core.refresh_tokens import new_family, new_salt
from shared.errors import NotFound, ReauthenticationRequired, Revoked, Unauthenticated
from shared.market.exchange_time import to_datetime
from shared.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class SessionTokens:
    """A session with its newest access token and refresh token."""

    user: User
    session: LoginSession
    access: AccessToken
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """The lifetime of sessions and their number per user."""

    idle_timeout_secs: int
    """A session ends after this time without a refresh of its tokens."""
    absolute_timeout_secs: int
    """A session ends this long after its login in any case."""
    recent_authentication_secs: int
    """Ending other sessions requires a password that was verified within this time."""
    max_sessions: int
    """Sessions per user; a further login ends the one that was unused for longest."""


class SessionService:
    """The use cases of sessions. Every method may raise Unavailable."""

    def __init__(
        self,
        *,
        users: UserStore,
        sessions: SessionStore,
        terminations: TerminationStore,
        issuer: TokenIssuer,
        audit: AuditLog,
        revocations: RevocationNotifier,
        policy: SessionPolicy,
        clock: Clock,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._terminations = terminations
        self._issuer = issuer
        self._audit = audit
        self._revocations = revocations
        self._policy = policy
        self._clock = clock

    async def start(self, user: User, source: RequestSource, *, by_cookie: bool) -> SessionTokens:
        """Start a session of a user whose password was verified.

        Raises Revoked if the account was disabled or all its sessions were ended since `user`
        was read.
        """
        now = self._now()
        ends_at = now + timedelta(seconds=self._policy.absolute_timeout_secs)
        session = LoginSession(
            session_id=uuid4().hex,
            user_id=user.user_id,
            generation=user.generation,
            created_at=now,
            authenticated_at=now,
            seen_at=now,
            expires_at=min(now + timedelta(seconds=self._policy.idle_timeout_secs), ends_at),
            ends_at=ends_at,
            source=source,
            by_cookie=by_cookie,
        )
        family = new_family(session.session_id)
        await self._sessions.add(session, family)
        if not await self._users.record_login(user, now):
            await self._refuse(session)
        await self._end_surplus(session)
        access = self._issuer.issue(session, user.roles)
        return SessionTokens(user, session, access, family.token)

    async def refresh(self, refresh_token: str, source: RequestSource) -> SessionTokens:
        """Return new tokens for a refresh token, which can be used once.

        Raises Unauthenticated if no active session has this token. Raises Revoked if the
        session's user is disabled or the session is of an older generation, and if the token
        was used before; the session is then ended.
        """
        now = self._now()
        try:
            rotation = await self._sessions.rotate(
                refresh_token,
                new_salt(),
                now=now,
                idle_timeout_secs=self._policy.idle_timeout_secs,
            )
        except RefreshTokenReused as reuse:
            await self._end(
                reuse.session, SessionTermination.REFRESH_REUSED, Event.REFRESH_REUSED, source
            )
            raise Revoked("the refresh token was used before; log in again") from None
        if rotation is None:
            raise Unauthenticated("the refresh token is not valid; log in again")
        user = await self._check_user(rotation.session)
        access = self._issuer.issue(rotation.session, user.roles)
        return SessionTokens(user, rotation.session, access, rotation.salt.successor(refresh_token))

    async def find_by_refresh_token(self, refresh_token: str) -> LoginSession | None:
        """Return the active session of a refresh token without using it; None if there is none.

        The token may be the newest of its session or one that was replaced. Raises
        Unauthenticated if the text does not have the form of a refresh token.
        """
        return await self._sessions.find_by_refresh_token(refresh_token, self._now())

    async def logout(self, session: LoginSession, source: RequestSource) -> None:
        """End this session; does nothing if it is over."""
        await self._end(session, SessionTermination.LOGOUT, Event.LOGOUT, source)

    async def list_sessions(self, caller: Caller) -> list[LoginSession]:
        """Return the caller's active sessions, newest first."""
        return await self._sessions.list_of_user(caller.user.user_id, self._now())

    async def revoke(self, caller: Caller, session_id: str) -> None:
        """End one of the caller's sessions.

        Raises NotFound, or ReauthenticationRequired if it is not the session of the request.
        """
        if session_id != caller.session.session_id:
            self.require_recent_authentication(caller)
        session = await self._sessions.find(session_id, self._now())
        if session is None or session.user_id != caller.user.user_id:
            raise NotFound("you have no such session")
        await self._end(session, SessionTermination.REVOKED, Event.SESSION_REVOKED, caller.source)

    async def logout_all(self, caller: Caller) -> int:
        """End all sessions of the caller; returns their number.

        Raises ReauthenticationRequired.
        """
        self.require_recent_authentication(caller)
        now = self._now()
        user_id = caller.user.user_id
        ended = await self._terminations.end_all(user_id, SessionTermination.LOGOUT_ALL, now=now)
        self._revocations.notify()
        await self._audit.add(
            Event.LOGOUT_ALL,
            caller.source,
            now,
            user_id=user_id,
            session_id=caller.session.session_id,
        )
        return ended or 0

    def require_recent_authentication(self, caller: Caller) -> None:
        """Raises ReauthenticationRequired if the password was verified too long ago."""
        age = self._now() - caller.session.authenticated_at
        if age > timedelta(seconds=self._policy.recent_authentication_secs):
            raise ReauthenticationRequired("give the password again (POST /auth/reauthenticate)")

    async def _check_user(self, session: LoginSession) -> User:
        """Return the session's user; ends the session and raises Revoked if it is not valid."""
        user = await self._users.find(session.user_id)
        if user is None or user.disabled_at:
            await self._refuse(session)
        if user.generation != session.generation:
            # A password change that keeps this session may have been stored since it was read.
            current = await self._sessions.find(session.session_id, self._now())
            if current is None or user.generation != current.generation:
                await self._refuse(session)
        return user

    async def _refuse(self, session: LoginSession) -> NoReturn:
        await self._sessions.end(session, SessionTermination.REVOKED, now=self._now())
        self._revocations.notify()
        raise Revoked("the session was ended; log in again")

    async def _end_surplus(self, newest: LoginSession) -> None:
        """End the sessions above the limit, those that were unused for longest first."""
        sessions = await self._sessions.list_of_user(newest.user_id, self._now())
        surplus = len(sessions) - self._policy.max_sessions
        if surplus <= 0:
            return
        others = [session for session in sessions if session.session_id != newest.session_id]
        for session in sorted(others, key=lambda session: session.seen_at)[:surplus]:
            await self._end(
                session, SessionTermination.TOO_MANY, Event.SESSION_REVOKED, newest.source
            )

    async def _end(
        self,
        session: LoginSession,
        reason: SessionTermination,
        event: Event,
        source: RequestSource,
    ) -> None:
        now = self._now()
        if await self._sessions.end(session, reason, now=now):
            self._revocations.notify()
            await self._audit.add(
                event, source, now, user_id=session.user_id, session_id=session.session_id
            )

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_ms())
