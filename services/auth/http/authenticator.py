"""Authenticates requests: from an access token to its session and account."""

from services.auth.core.entities import Caller, RequestSource
from services.auth.core.ports import SessionStore, UserStore
from shared.errors import Revoked
from shared.market.exchange_time import to_datetime
from shared.runtime.clock import Clock
from shared.web.verifier import TokenVerifier


class Authenticator:
    """Verifies access tokens as every service does, then checks the session in the database."""

    def __init__(
        self, verifier: TokenVerifier, users: UserStore, sessions: SessionStore, clock: Clock
    ) -> None:
        self._verifier = verifier
        self._users = users
        self._sessions = sessions
        self._clock = clock

    async def authenticate(self, token: str, source: RequestSource) -> Caller:
        """Return the caller of a request with this access token.

        Raises Unauthenticated or TokenExpired if the token is not valid, Revoked if its session
        is over, and Unavailable.
        """
        principal = await self._verifier.verify(token)
        now = to_datetime(self._clock.now_ms())
        session = await self._sessions.find(principal.session_id, now)
        user = await self._users.find(principal.user_id)
        if session and user and session.generation != user.generation:
            # A password change that keeps this session may have been stored since it was read.
            session = await self._sessions.find(principal.session_id, now)
        if (
            session is None
            or user is None
            or session.user_id != user.user_id
            or session.generation != user.generation
            or user.disabled_at is not None
        ):
            raise Revoked("the session has ended; log in again")
        return Caller(user, session, source)
