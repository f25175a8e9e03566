"""Transactions that only the newest leader can commit, guarded by an epoch in MongoDB.

One document per lease holds the epoch of the newest leader; it may hold the leader's checkpoint as
well. Each transaction changes that document under the condition that it still has this leader's
epoch. So writes of an older leader are refused, and no two transactions interleave. The epoch is
counted in MongoDB and not in the lease's bucket, which could be lost.

A leader that dies during a transaction leaves it open. The open transaction blocks all other
writes of the document until the server aborts it, after a minute. Therefore a leader makes all
its transactions in one session, which can have only one transaction at a time, and stores the
session's id in the document. Its successor ends that session, and the transaction with it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure, PyMongoError

from shared.errors import StaleEpoch
from shared.runtime.logs import get_logger
from shared.runtime.mongo import Document, Mongo

log = get_logger(__name__)

T = TypeVar("T")


class EpochGuard:
    """One leader's session, for the document `document_id` of `collection`.

    All methods raise PyMongoError while the database is unavailable.
    """

    def __init__(self, mongo: Mongo, collection: str, document_id: str) -> None:
        self._client = mongo.client
        self._documents = mongo.db.get_collection(collection)
        self._id = document_id
        self._session = mongo.client.start_session()
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """End the session. No transaction may follow.

        The driver reuses the server's session for other operations of the client. So the
        document must not name it any longer: a successor would kill those operations.
        """
        mine = {"_id": self._id, "session": self._session.session_id["id"]}
        try:
            await self._documents.update_one(mine, {"$unset": {"session": ""}})
        except PyMongoError as error:
            log.warning(
                "document still names the session that ends", document=self._id, error=str(error)
            )
        finally:
            await self._session.end_session()

    async def take_over(self) -> Document:
        """Supersede every older leader. Returns the document, with the new epoch."""
        before = await self._documents.find_one({"_id": self._id}, {"session": 1})
        if before is not None and "session" in before:
            try:
                await self._client.admin.command("killSessions", [{"id": before["session"]}])
            except OperationFailure as error:  # some hosted databases lack the command
                log.warning("cannot end the session of the last leader", error=str(error))
        session_id = self._session.session_id["id"]
        document: Document = await self._documents.find_one_and_update(  # type: ignore[assignment]
            {"_id": self._id},
            {"$inc": {"epoch": 1}, "$set": {"session": session_id}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return document

    async def transact(
        self, epoch: int, change: Document, write: Callable[[AsyncClientSession], Awaitable[T]]
    ) -> T:
        """Apply `change` to the document and call `write`, in one transaction.

        `write` may be called more than once, since a transaction is retried after a passing
        fault. Raises StaleEpoch, having written nothing, if a newer leader has taken over.
        """

        async def guarded(session: AsyncClientSession) -> T:
            await self._check(epoch, change, session)
            return await write(session)

        async with self._lock:
            return await self._session.with_transaction(guarded)

    async def _check(self, epoch: int, change: Document, session: AsyncClientSession) -> None:
        result = await self._documents.update_one(
            {"_id": self._id, "epoch": epoch}, change, session=session
        )
        if not result.matched_count:
            document = await self._documents.find_one({"_id": self._id}, session=session)
            raise StaleEpoch(epoch, document["epoch"] if document else 0)
