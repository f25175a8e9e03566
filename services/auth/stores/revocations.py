"""The revocations in MongoDB, and which of them are not published yet."""

from datetime import UTC, datetime, timedelta
from typing import Final

from pymongo.asynchronous.database import AsyncDatabase

from services.auth.stores import sessions, users
from services.auth.stores.database import failures_as_unavailable
from shared.contracts.revocations import Revocation, SessionRevoked, UserRevoked
from shared.runtime.mongo import Document

_BATCH_SIZE: Final = 1_000


class MongoRevocations:
    """The `RevocationLog` over the collections `sessions` and `users`.

    The write that ends a session or disables a user also sets `announced` to false. Every
    method may raise Unavailable.
    """

    def __init__(self, db: AsyncDatabase[Document], *, retention_secs: float) -> None:
        self._sessions = db[sessions.COLLECTION]
        self._users = db[users.COLLECTION]
        self._retention = timedelta(seconds=retention_secs)

    async def unpublished(self) -> list[Revocation]:
        """Return up to 1 000 of each kind that are not published; empty if there are none."""
        return await self._read({"announced": False}, {"announced": False})

    async def effective(self, now: datetime) -> list[Revocation]:
        """Return all revocations that can still refuse a token at `now`."""
        return await self._read(
            {"announced": {"$exists": True}, "expires_at": {"$gt": now}},
            {"revoked_before": {"$gt": now - self._retention}},
            limit=0,
        )

    async def record_published(self, revocations: list[Revocation]) -> None:
        """Store that these revocations were published."""
        session_ids = [
            revocation.session_id
            for revocation in revocations
            if isinstance(revocation, SessionRevoked)
        ]
        with failures_as_unavailable():
            if session_ids:
                await self._sessions.update_many(
                    {"_id": {"$in": session_ids}}, {"$set": {"announced": True}}
                )
            for revocation in revocations:
                if isinstance(revocation, UserRevoked):
                    # A user who was disabled again meanwhile is published again.
                    until = _end_of_second(revocation.before)
                    await self._users.update_one(
                        {"_id": revocation.user_id, "revoked_before": {"$lt": until}},
                        {"$set": {"announced": True}},
                    )

    async def _read(
        self, ended: Document, revoked: Document, limit: int = _BATCH_SIZE
    ) -> list[Revocation]:
        with failures_as_unavailable():
            session_documents = (
                await self._sessions.find(ended, {"expires_at": 1}).limit(limit).to_list()
            )
            user_documents = (
                await self._users.find(revoked, {"revoked_before": 1}).limit(limit).to_list()
            )
        sessions_revoked = [
            SessionRevoked(session_id=document["_id"], until=_unix_secs(document["expires_at"]))
            for document in session_documents
        ]
        users_revoked = [
            UserRevoked(
                user_id=document["_id"],
                before=_unix_secs(document["revoked_before"]),
                until=_unix_secs(document["revoked_before"] + self._retention),
            )
            for document in user_documents
        ]
        return [*sessions_revoked, *users_revoked]


def _unix_secs(at: datetime) -> int:
    return int(at.timestamp())


def _end_of_second(second: int) -> datetime:
    return datetime.fromtimestamp(second + 1, UTC)
