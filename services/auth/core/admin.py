"""What administrators do to other people's accounts."""

from datetime import datetime

from services.auth.core.logins import Announce, Logins
from services.auth.core.records import (
    ADMIN,
    AuditLog,
    Caller,
    Event,
    SessionTermination,
    TerminationStore,
    User,
    UserStore,
)
from shared.errors import Forbidden, InvalidField, NotFound
from shared.market.exchange_time import to_datetime
from shared.runtime.clock import Clock


class Admin:
    """The use cases of administrators; all raise Forbidden to others, or Unavailable."""

    def __init__(
        self,
        *,
        users: UserStore,
        endings: TerminationStore,
        logins: Logins,
        audit: AuditLog,
        announce: Announce,
        clock: Clock,
    ) -> None:
        self._users = users
        self._endings = endings
        self._logins = logins
        self._audit = audit
        self._announce = announce
        self._clock = clock

    async def page(self, caller: Caller, after: str, limit: int) -> list[User]:
        """Up to `limit` accounts, by address, from the one after `after`."""
        self._check(caller)
        return await self._users.page(after, limit)

    async def disable(self, caller: Caller, user_id: str) -> int:
        """Keep an account from logging in and end its sessions; how many.

        Raises NotFound, ReauthenticationRequired, or InvalidField for one's own account.
        """
        self._check(caller)
        self._logins.check_fresh(caller)
        if user_id == caller.user.user_id:
            raise InvalidField("user_id: nobody can disable themselves", field="user_id")
        ended = await self._endings.disable(user_id, now=self._now())
        return await self._ended(caller, user_id, ended, Event.USER_DISABLED)

    async def revoke(self, caller: Caller, user_id: str) -> int:
        """End all sessions of an account; how many. Raises NotFound, ReauthenticationRequired."""
        self._check(caller)
        self._logins.check_fresh(caller)
        ended = await self._endings.end_all(user_id, SessionTermination.BY_ADMIN, now=self._now())
        return await self._ended(caller, user_id, ended, Event.USER_REVOKED)

    async def enable(self, caller: Caller, user_id: str) -> None:
        """Let a disabled account log in again. Raises NotFound, ReauthenticationRequired."""
        self._check(caller)
        self._logins.check_fresh(caller)
        if not await self._users.enable(user_id):
            raise NotFound("there is no such account")
        await self._tell(caller, user_id, Event.USER_ENABLED)

    async def _ended(self, caller: Caller, user_id: str, ended: int | None, event: Event) -> int:
        if ended is None:
            raise NotFound("there is no such account")
        self._announce()
        await self._tell(caller, user_id, event)
        return ended

    async def _tell(self, caller: Caller, user_id: str, event: Event) -> None:
        by = caller.user.user_id
        await self._audit.add(event, caller.client, self._now(), user_id=user_id, by=by)

    def _check(self, caller: Caller) -> None:
        # The role in the database, not in the token: what was taken away is gone at once.
        if ADMIN not in caller.user.roles:
            raise Forbidden("this is for administrators")

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_ms())
