"""Changes of an account that end its sessions, each in one transaction of MongoDB."""

from datetime import datetime, timedelta
from typing import Final

import pymongo
from pymongo.asynchronous.client_session import AsyncClientSession

from services.auth.core.entities import SessionTermination, User
from services.auth.stores import sessions, users
from services.auth.stores.database import failures_as_unavailable
from shared.runtime.mongo import Document, Mongo

# Includes all retries; after this time the caller receives Unavailable.
_TRANSACTION_SECS: Final = 5.0


class MongoTerminations:
    """The `TerminationStore` over the collections `users` and `sessions`.

    A session that was ended is stored for `retention_secs`, as long as one of its access tokens
    can be valid. Every method may raise Unavailable and has then changed nothing.
    """

    def __init__(self, mongo: Mongo, *, retention_secs: float) -> None:
        self._client = mongo.client
        self._users = mongo.db[users.COLLECTION]
        self._sessions = mongo.db[sessions.COLLECTION]
        self._retention = timedelta(seconds=retention_secs)

    async def end_all(
        self,
        user_id: str,
        reason: SessionTermination,
        *,
        now: datetime,
        except_session_id: str | None = None,
    ) -> int | None:
        """End all sessions except one; returns their number, None if there is no such account."""
        return await self._change({"_id": user_id}, {}, reason, now, except_session_id)

    async def change_password(
        self, user: User, password_hash: str, *, now: datetime, except_session_id: str
    ) -> int | None:
        """Replace the password and end the other sessions; None if it has changed meanwhile."""
        unchanged = {"_id": user.user_id, "password_hash": user.password_hash}
        change = {"password_hash": password_hash, "password_changed_at": now}
        return await self._change(
            unchanged, change, SessionTermination.PASSWORD_CHANGED, now, except_session_id
        )

    async def disable(self, user_id: str, *, now: datetime) -> int | None:
        """Disable the account, end its sessions and revoke all its access tokens.

        None if there is no such account.
        """
        change = {"disabled_at": now, "revoked_before": now, "announced": False}
        return await self._change({"_id": user_id}, change, SessionTermination.BY_ADMIN, now, None)

    async def _change(
        self,
        account: Document,
        change: Document,
        reason: SessionTermination,
        now: datetime,
        except_session_id: str | None,
    ) -> int | None:
        update: Document = {"$inc": {"generation": 1}}
        if change:
            update["$set"] = change

        async def write(transaction: AsyncClientSession) -> int | None:
            # The account is written first. A concurrent login adds its session and then writes
            # to the account, so one of the two sees the other.
            user = await self._users.find_one_and_update(
                account, update, session=transaction, return_document=True
            )
            if user is None:
                return None
            active: Document = {"user_id": user["_id"], "ended_at": {"$exists": False}}
            # Without an excepted session, `{"$ne": None}` matches every document.
            others = active | {"_id": {"$ne": except_session_id}, "expires_at": {"$gt": now}}
            result = await self._sessions.update_many(
                others,
                sessions.termination_update(reason, now, self._retention),
                session=transaction,
            )
            if except_session_id is not None:
                await self._sessions.update_one(
                    active | {"_id": except_session_id},
                    {"$set": {"generation": user["generation"]}},
                    session=transaction,
                )
            return result.modified_count

        with failures_as_unavailable(), pymongo.timeout(_TRANSACTION_SECS):
            async with self._client.start_session() as transaction:
                return await transaction.with_transaction(write)
