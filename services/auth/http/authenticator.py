"""Who makes a request: from the access token it bears to a session that is still good."""

from services.auth.core.records import Caller, Client, SessionStore, UserStore
from shared.errors import Revoked
from shared.market.exchange_time import to_datetime
from shared.runtime.clock import Clock
from shared.web.verifier import TokenVerifier


class Authenticator:
    """Checks tokens as every service does, and then, as only we can, the session behind them."""

    def __init__(
        self, verifier: TokenVerifier, users: UserStore, sessions: SessionStore, clock: Clock
    ) -> None:
        self._verifier = verifier
        self._users = users
        self._sessions = sessions
        self._clock = clock

    async def caller(self, token: str, client: Client) -> Caller:
        """Raises TokenExpired, Unauthenticated, Revoked or Unavailable."""
        principal = await self._verifier.verify(token)
        now = to_datetime(self._clock.now_ms())
        session = await self._sessions.find(principal.session_id, now)
        user = await self._users.find(principal.user_id)
        if (
            session is None
            or user is None
            or session.user_id != user.user_id
            or session.generation != user.generation
            or user.disabled_at is not None
        ):
            raise Revoked("the session has ended; log in again")
        return Caller(user, session, client)
