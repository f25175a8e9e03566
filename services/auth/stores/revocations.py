"""Which ended sessions and disabled users gateways have yet to be told of."""

from datetime import UTC, datetime, timedelta
from typing import Final

from pymongo.asynchronous.database import AsyncDatabase

from services.auth.stores import sessions, users
from services.auth.stores.database import failures_as_unavailable
from shared.contracts.revocations import Revocation, SessionRevoked, UserRevoked
from shared.runtime.mongo import Document

_MOST: Final = 1_000


class MongoRevocations:
    """Reads them from the collections of sessions and users, where they are recorded first."""

    def __init__(self, db: AsyncDatabase[Document], *, remember_secs: float) -> None:
        self._sessions = db[sessions.COLLECTION]
        self._users = db[users.COLLECTION]
        self._remember = timedelta(seconds=remember_secs)

    async def to_announce(self) -> list[Revocation]:
        """Some of those that are yet to be announced; none if there are none. Raises Unavailable."""
        return await self._read({"announced": False}, {"announced": False})

    async def that_matter(self, now: datetime) -> list[Revocation]:
        """All that may still refuse a token. Raises Unavailable."""
        return await self._read(
            {"announced": {"$exists": True}, "expires_at": {"$gt": now}},
            {"revoked_before": {"$gt": now - self._remember}},
            most=0,
        )

    async def announced(self, revocations: list[Revocation]) -> None:
        """Take note that these have been announced. Raises Unavailable."""
        ended = [one.session_id for one in revocations if isinstance(one, SessionRevoked)]
        with failures_as_unavailable():
            if ended:
                await self._sessions.update_many(
                    {"_id": {"$in": ended}}, {"$set": {"announced": True}}
                )
            for one in revocations:
                if isinstance(one, UserRevoked):
                    # One that was disabled again meanwhile is announced again.
                    await self._users.update_one(
                        {"_id": one.user_id, "revoked_before": {"$lt": _end_of(one.before)}},
                        {"$set": {"announced": True}},
                    )

    async def _read(
        self, ended: Document, revoked: Document, most: int = _MOST
    ) -> list[Revocation]:
        with failures_as_unavailable():
            session_documents = (
                await self._sessions.find(ended, {"expires_at": 1}).limit(most).to_list()
            )
            user_documents = (
                await self._users.find(revoked, {"revoked_before": 1}).limit(most).to_list()
            )
        remember = self._remember
        return [
            *(
                SessionRevoked(session_id=one["_id"], until=_secs(one["expires_at"]))
                for one in session_documents
            ),
            *(
                UserRevoked(
                    user_id=one["_id"],
                    before=_secs(one["revoked_before"]),
                    until=_secs(one["revoked_before"] + remember),
                )
                for one in user_documents
            ),
        ]


def _secs(at: datetime) -> int:
    return int(at.timestamp())


def _end_of(second: int) -> datetime:
    return datetime.fromtimestamp(second + 1, UTC)
