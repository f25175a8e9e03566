"""Changes of an account that end its sessions, each in one transaction."""

from datetime import datetime, timedelta
from typing import Final

import pymongo
from pymongo.asynchronous.client_session import AsyncClientSession

from services.auth.core.records import SessionTermination, User
from services.auth.stores import sessions, users
from services.auth.stores.database import failures_as_unavailable
from shared.runtime.mongo import Document, Mongo

# With all its retries: after this the caller is told that the database does not answer.
_TRANSACTION_SECS: Final = 5.0


class MongoTerminations:
    """The `EndingStore` over the collections of users and sessions.

    What ended is remembered for `remember_secs`, as long as an access token could live.
    Every method raises Unavailable, having changed nothing.
    """

    def __init__(self, mongo: Mongo, *, remember_secs: float) -> None:
        self._client = mongo.client
        self._users = mongo.db[users.COLLECTION]
        self._sessions = mongo.db[sessions.COLLECTION]
        self._remember = timedelta(seconds=remember_secs)

    async def end_all(
        self, user_id: str, why: SessionTermination, *, now: datetime, keep: str | None = None
    ) -> int | None:
        """End all sessions but `keep`; how many, or None if there is no such account."""
        return await self._change({"_id": user_id}, {}, why, now, keep)

    async def change_password(
        self, user: User, password_hash: str, *, now: datetime, keep: str
    ) -> int | None:
        """Also replace the password; None if it has changed meanwhile."""
        unchanged = {"_id": user.user_id, "password_hash": user.password_hash}
        change = {"password_hash": password_hash, "password_changed_at": now}
        return await self._change(unchanged, change, SessionTermination.PASSWORD_CHANGED, now, keep)

    async def disable(self, user_id: str, *, now: datetime) -> int | None:
        """Also keep the account from logging in, and refuse all tokens it has."""
        change = {"disabled_at": now, "revoked_before": now, "announced": False}
        return await self._change({"_id": user_id}, change, SessionTermination.BY_ADMIN, now, None)

    async def _change(
        self,
        which: Document,
        change: Document,
        why: SessionTermination,
        now: datetime,
        keep: str | None,
    ) -> int | None:
        update: Document = {"$inc": {"generation": 1}}
        if change:
            update["$set"] = change

        async def write(transaction: AsyncClientSession) -> int | None:
            # The account first: a login that runs beside us writes to it after it has
            # added its session, so one of the two sees the other.
            user = await self._users.find_one_and_update(
                which, update, session=transaction, return_document=True
            )
            if user is None:
                return None
            mine = {"user_id": user["_id"], "ended_at": {"$exists": False}}
            others = mine | ({} if keep is None else {"_id": {"$ne": keep}})
            others["expires_at"] = {"$gt": now}
            done = await self._sessions.update_many(
                others, sessions.ended(why, now, self._remember), session=transaction
            )
            if keep is not None:
                await self._sessions.update_one(
                    mine | {"_id": keep},
                    {"$set": {"generation": user["generation"]}},
                    session=transaction,
                )
            return done.modified_count

        with failures_as_unavailable(), pymongo.timeout(_TRANSACTION_SECS):
            async with self._client.start_session() as transaction:
                return await transaction.with_transaction(write)
