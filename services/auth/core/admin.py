"""The use cases of administrators: accounts, their sessions, and the audit log."""

from datetime import datetime

from services.auth.core.entities import AuditEntry, Caller, Event, SessionTermination, User
from services.auth.core.ports import AuditLog, RevocationNotifier, TerminationStore, UserStore
from services.auth.core.sessions import SessionService
from shared.contracts.roles import ADMIN_ROLE
from shared.errors import Forbidden, InvalidField, NotFound
from shared.market.exchange_time import to_datetime
from shared.runtime.clock import Clock


class AdminService:
    """The use cases of administrators.

    Every method raises Forbidden to callers without the role, and may raise Unavailable.
    """

    def __init__(
        self,
        *,
        users: UserStore,
        terminations: TerminationStore,
        session_service: SessionService,
        audit: AuditLog,
        revocations: RevocationNotifier,
        clock: Clock,
    ) -> None:
        self._users = users
        self._terminations = terminations
        self._session_service = session_service
        self._audit = audit
        self._revocations = revocations
        self._clock = clock

    async def list_users(
        self, caller: Caller, after: str, limit: int, prefix: str = ""
    ) -> list[User]:
        """Return up to `limit` accounts whose address sorts after `after`, in that order.

        All of them have addresses that start with `prefix`.
        """
        self._require_admin(caller)
        return await self._users.list_page(after, limit, prefix)

    async def audit_log(
        self, caller: Caller, user_id: str | None, before: str, limit: int
    ) -> list[AuditEntry]:
        """Return entries of the audit log, the newest first, as `AuditLog.newest` does."""
        self._require_admin(caller)
        return await self._audit.newest(user_id, before, limit)

    async def disable(self, caller: Caller, user_id: str) -> int:
        """Disable an account and end its sessions; returns their number.

        Raises NotFound, ReauthenticationRequired, or InvalidField for the caller's own account.
        """
        self._require_recent_admin(caller)
        if user_id == caller.user.user_id:
            raise InvalidField("user_id: you cannot disable your own account", field="user_id")
        ended = await self._terminations.disable(user_id, now=self._now())
        return await self._record_termination(caller, user_id, ended, Event.USER_DISABLED)

    async def revoke_sessions(self, caller: Caller, user_id: str) -> int:
        """End all sessions of an account; returns their number.

        Raises NotFound or ReauthenticationRequired.
        """
        self._require_recent_admin(caller)
        ended = await self._terminations.end_all(
            user_id, SessionTermination.BY_ADMIN, now=self._now()
        )
        return await self._record_termination(caller, user_id, ended, Event.USER_REVOKED)

    async def enable(self, caller: Caller, user_id: str) -> None:
        """Enable a disabled account. Raises NotFound or ReauthenticationRequired."""
        self._require_recent_admin(caller)
        if not await self._users.enable(user_id):
            raise NotFound("there is no such account")
        await self._record(caller, user_id, Event.USER_ENABLED)

    async def _record_termination(
        self, caller: Caller, user_id: str, ended: int | None, event: Event
    ) -> int:
        if ended is None:
            raise NotFound("there is no such account")
        self._revocations.notify()
        await self._record(caller, user_id, event)
        return ended

    async def _record(self, caller: Caller, user_id: str, event: Event) -> None:
        await self._audit.add(
            event, caller.source, self._now(), user_id=user_id, by=caller.user.user_id
        )

    def _require_recent_admin(self, caller: Caller) -> None:
        self._require_admin(caller)
        self._session_service.require_recent_authentication(caller)

    def _require_admin(self, caller: Caller) -> None:
        # The role is read from the account, not from the token, so that its removal takes
        # effect at once.
        if ADMIN_ROLE not in caller.user.roles:
            raise Forbidden("this requires the role of an administrator")

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_ms())
