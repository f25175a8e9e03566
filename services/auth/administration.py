"""Administration of accounts by an operator with access to auth's database."""

from collections.abc import AsyncIterator
from typing import Final

from services.auth.app import Stores
from services.auth.core.entities import Event, RequestSource, SessionTermination, User
from shared.contracts.roles import ADMIN_ROLE
from shared.errors import NotFound
from shared.market.exchange_time import to_datetime
from shared.runtime.clock import Clock

_PAGE: Final = 200


class Administration:
    """Acts without a login; each change is in the audit log, with `source`.

    `who` is an e-mail address, or the id of a user. All methods may raise Unavailable, and those
    with `who` raise NotFound. Sessions that are ended here are announced by the auth service: it
    looks for them once a second, or when it starts.
    """

    def __init__(self, stores: Stores, source: RequestSource, clock: Clock) -> None:
        self._stores = stores
        self._source = source
        self._clock = clock

    async def users(self, after: str = "") -> AsyncIterator[User]:
        """All accounts whose address sorts after `after`, in that order."""
        while page := await self._stores.users.list_page(after, _PAGE):
            for user in page:
                yield user
            after = page[-1].email

    async def admins(self) -> list[User]:
        """The administrators, by address."""
        return await self._stores.users.list_with_role(ADMIN_ROLE)

    async def grant(self, who: str) -> User:
        """Give an account the role of an administrator."""
        user = await self._find(who)
        await self._stores.users.grant(user.user_id, ADMIN_ROLE)
        await self._record(Event.ADMIN_GRANTED, user)
        return user

    async def take_back(self, who: str) -> int:
        """Take the role away and end the sessions, whose tokens have it; returns their number."""
        user = await self._find(who)
        await self._stores.users.take_back(user.user_id, ADMIN_ROLE)
        await self._record(Event.ADMIN_REVOKED, user)
        return await self._end_sessions(user)

    async def disable(self, who: str) -> int:
        """Disable an account and end its sessions; returns their number."""
        user = await self._find(who)
        now = to_datetime(self._clock.now_ms())
        ended = await self._stores.terminations.disable(user.user_id, now=now)
        await self._record(Event.USER_DISABLED, user)
        return ended or 0

    async def enable(self, who: str) -> None:
        """Enable a disabled account."""
        user = await self._find(who)
        await self._stores.users.enable(user.user_id)
        await self._record(Event.USER_ENABLED, user)

    async def end_sessions(self, who: str) -> int:
        """End all sessions of an account; returns their number."""
        return await self._end_sessions(await self._find(who))

    async def end_all_sessions(self) -> tuple[int, int]:
        """End all sessions of all accounts; returns the numbers of accounts and sessions."""
        accounts = sessions = 0
        async for user in self.users():
            ended = await self._end_sessions(user)
            accounts += ended > 0
            sessions += ended
        return accounts, sessions

    async def _end_sessions(self, user: User) -> int:
        ended = await self._stores.terminations.end_all(
            user.user_id, SessionTermination.BY_ADMIN, now=to_datetime(self._clock.now_ms())
        )
        await self._record(Event.USER_REVOKED, user)
        return ended or 0

    async def _find(self, who: str) -> User:
        users = self._stores.users
        user = await (users.find_by_email(who) if "@" in who else users.find(who))
        if user is None:
            raise NotFound(f"there is no account {who}")
        return user

    async def _record(self, event: Event, user: User) -> None:
        now = to_datetime(self._clock.now_ms())
        await self._stores.audit.add(event, self._source, now, user_id=user.user_id)
