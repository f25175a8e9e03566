"""Sessions: how they begin, are renewed, are seen by their owner, and end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn, Protocol
from uuid import uuid4

from services.auth.core.records import (
    AuditLog,
    Caller,
    Client,
    Event,
    LoginSession,
    RefreshReused,
    SessionStore,
    SessionTermination,
    TerminationStore,
    User,
    UserStore,
)
from services.auth.core.refresh_tokens import new_family, new_rotation
from shared.errors import NotFound, ReauthenticationRequired, Revoked, Unauthenticated
from shared.market.exchange_time import to_datetime
from shared.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token, and for how many seconds from now it is good."""

    token: str = field(repr=False)
    expires_in_secs: int


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A session's owner has shown who they are: what they get."""

    user: User
    session: LoginSession
    access: AccessToken
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long sessions last, and how many one may have."""

    idle_secs: int
    """One whose tokens are not renewed for so long is over."""
    longest_secs: int
    """No session outlives this."""
    fresh_secs: int
    """For so long after the password was given, other sessions may be ended."""
    most_sessions: int
    """One more ends the one that was longest unused."""


class TokenIssuer(Protocol):
    """Signs access tokens."""

    def issue(self, session: LoginSession, roles: Sequence[str]) -> AccessToken:
        """A token for this session, valid from now."""
        ...


class Announce(Protocol):
    """Tells that sessions were ended, for gateways to hear of it soon."""

    def __call__(self) -> None: ...


class Logins:
    """The use cases of sessions. Any may raise Unavailable."""

    def __init__(
        self,
        *,
        users: UserStore,
        sessions: SessionStore,
        endings: TerminationStore,
        issuer: TokenIssuer,
        audit: AuditLog,
        announce: Announce,
        lifetimes: Lifetimes,
        clock: Clock,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._endings = endings
        self._issuer = issuer
        self._audit = audit
        self._announce = announce
        self._lifetimes = lifetimes
        self._clock = clock

    async def begin(self, user: User, client: Client, *, by_cookie: bool) -> LoggedIn:
        """A new session of a user whose password was right.

        Raises Revoked if meanwhile the account was disabled or all its sessions were ended.
        """
        now = self._now()
        times = self._lifetimes
        session = LoginSession(
            session_id=uuid4().hex,
            user_id=user.user_id,
            generation=user.generation,
            created_at=now,
            authenticated_at=now,
            seen_at=now,
            expires_at=now + timedelta(seconds=min(times.idle_secs, times.longest_secs)),
            ends_at=now + timedelta(seconds=times.longest_secs),
            client=client,
            by_cookie=by_cookie,
        )
        family = new_family(session.session_id)
        await self._sessions.add(session, family)
        if not await self._users.logged_in(user, now):
            await self._drop(session)
        await self._make_room(session)
        access = self._issuer.issue(session, user.roles)
        return LoggedIn(user, session, access, family.token)

    async def renew(self, shown: str, client: Client) -> LoggedIn:
        """New tokens for a refresh token, which is good once.

        Raises Unauthenticated; or Revoked, if the session was ended or is ended now
        because the token had been used before.
        """
        now = self._now()
        try:
            rotated = await self._sessions.rotate(
                shown, new_rotation(), now=now, idle_secs=self._lifetimes.idle_secs
            )
        except RefreshReused as reuse:
            session = reuse.session
            await self._end(
                session, SessionTermination.REFRESH_REUSED, Event.REFRESH_REUSED, client
            )
            raise Revoked("the refresh token was used before; log in again") from None
        if rotated is None:
            raise Unauthenticated("the refresh token is not good; log in again")
        user = await self._check(rotated.session)
        access = self._issuer.issue(rotated.session, user.roles)
        return LoggedIn(user, rotated.session, access, rotated.rotation.successor(shown))

    async def session_of(self, shown: str) -> LoginSession | None:
        """The session of a refresh token, to end it; None if it is not good."""
        return await self._sessions.of_token(shown, self._now())

    async def logout(self, session: LoginSession, client: Client) -> None:
        """End this session; nothing happens if it is over."""
        await self._end(session, SessionTermination.LOGOUT, Event.LOGOUT, client)

    async def of(self, caller: Caller) -> list[LoginSession]:
        """The caller's sessions, the newest first."""
        return await self._sessions.of_user(caller.user.user_id, self._now())

    async def revoke(self, caller: Caller, session_id: str) -> None:
        """End another session of the caller's, or this one.

        Raises NotFound, or ReauthenticationRequired if it is another one.
        """
        if session_id != caller.session.session_id:
            self.check_fresh(caller)
        session = await self._sessions.find(session_id, self._now())
        if session is None or session.user_id != caller.user.user_id:
            raise NotFound("you have no such session")
        await self._end(session, SessionTermination.REVOKED, Event.SESSION_REVOKED, caller.client)

    async def logout_everywhere(self, caller: Caller) -> int:
        """End all of the caller's sessions; how many. Raises ReauthenticationRequired."""
        self.check_fresh(caller)
        now = self._now()
        user_id = caller.user.user_id
        ended = await self._endings.end_all(user_id, SessionTermination.LOGOUT_ALL, now=now)
        self._announce()
        await self._audit.add(
            Event.LOGOUT_ALL,
            caller.client,
            now,
            user_id=user_id,
            session_id=caller.session.session_id,
        )
        return ended or 0

    def check_fresh(self, caller: Caller) -> None:
        """Raises ReauthenticationRequired if the password was given too long ago."""
        given_ago = self._now() - caller.session.authenticated_at
        if given_ago > timedelta(seconds=self._lifetimes.fresh_secs):
            raise ReauthenticationRequired("give the password again (POST /auth/reauthenticate)")

    async def _check(self, session: LoginSession) -> User:
        """The session's user; ends the session and raises Revoked if it must not be."""
        user = await self._users.find(session.user_id)
        if user is None or user.disabled_at or user.generation != session.generation:
            await self._drop(session)
        return user

    async def _drop(self, session: LoginSession) -> NoReturn:
        await self._sessions.end(session, SessionTermination.REVOKED, now=self._now())
        self._announce()
        raise Revoked("the session was ended; log in again")

    async def _make_room(self, newest: LoginSession) -> None:
        """End the sessions that were longest unused, beyond as many as one may have."""
        sessions = await self._sessions.of_user(newest.user_id, self._now())
        surplus = len(sessions) - self._lifetimes.most_sessions
        if surplus <= 0:
            return
        others = [one for one in sessions if one.session_id != newest.session_id]
        for session in sorted(others, key=lambda one: one.seen_at)[:surplus]:
            await self._end(
                session, SessionTermination.TOO_MANY, Event.SESSION_REVOKED, newest.client
            )

    async def _end(
        self, session: LoginSession, why: SessionTermination, event: Event, client: Client
    ) -> None:
        now = self._now()
        if await self._sessions.end(session, why, now=now):
            self._announce()
            await self._audit.add(
                event, client, now, user_id=session.user_id, session_id=session.session_id
            )

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_ms())
