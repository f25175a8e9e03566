"""The audit log in MongoDB."""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final

from bson import ObjectId
from bson.errors import InvalidId
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from services.auth.core.entities import AuditEntry, Event, RequestSource
from services.auth.stores.database import failures_as_unavailable
from shared.errors import InvalidField
from shared.runtime.clock import Clock
from shared.runtime.limited_log import LimitedLog
from shared.runtime.logs import get_logger
from shared.runtime.mongo import Document, ensure_collection

log = get_logger(__name__)

COLLECTION: Final = "audit"
_SESSION_CHARS: Final = 32
_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "additionalProperties": False,
    "required": ["_id", "at", "event", "address", "user_agent", "expires_at"],
    "properties": {
        "_id": {"bsonType": "objectId"},
        "at": {"bsonType": "date"},
        "event": {"enum": [event.value for event in Event]},
        "address": {"bsonType": "string", "maxLength": 64},
        "user_agent": {"bsonType": "string", "maxLength": 200},
        "user_id": {"bsonType": "string"},
        "session": {"bsonType": "string", "maxLength": _SESSION_CHARS},
        "by": {"bsonType": "string"},
        "email": {"bsonType": "string"},
        "expires_at": {"bsonType": "date"},
    },
}


class MongoAudit:
    """The `AuditLog` in collection `audit`; call `prepare` once before use.

    This class only inserts entries, so its database user needs no right to change or delete
    them. MongoDB deletes entries after `retention_days`. Each entry is also logged at info, at a
    bounded rate, and before it is stored: a database that is away hides no failed login.
    """

    def __init__(self, db: AsyncDatabase[Document], clock: Clock, *, retention_days: int) -> None:
        self._log = LimitedLog(log, clock)
        self._db = db
        self._entries = db[COLLECTION]
        self._retention = timedelta(days=retention_days)

    async def prepare(self) -> None:
        """Create the collection and its indexes; raises PyMongoError."""
        indexes = [
            IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0),
            IndexModel([("user_id", ASCENDING), ("at", ASCENDING)], name="user"),
            IndexModel([("user_id", ASCENDING), ("_id", ASCENDING)], name="user_newest"),
        ]
        await ensure_collection(self._db, COLLECTION, _SCHEMA, indexes)

    async def add(
        self,
        event: Event,
        source: RequestSource,
        now: datetime,
        *,
        user_id: str | None = None,
        session_id: str | None = None,
        by: str | None = None,
        email: str | None = None,
    ) -> None:
        """Insert an entry; raises Unavailable."""
        optional = {"user_id": user_id, "session": _digest(session_id), "by": by, "email": email}
        entry: Document = {
            "at": now,
            "event": event.value,
            "address": source.address,
            "user_agent": source.user_agent,
            "expires_at": now + self._retention,
        } | {name: value for name, value in optional.items() if value is not None}
        self._log.info(
            event.value.replace("_", " "),
            address=source.address,
            **{name: value for name, value in optional.items() if value is not None},
        )
        with failures_as_unavailable():
            await self._entries.insert_one(entry)

    async def newest(self, user_id: str | None, before: str, limit: int) -> list[AuditEntry]:
        """Raises InvalidField if `before` is not the id of an entry, and Unavailable."""
        query: Document = {} if user_id is None else {"user_id": user_id}
        if before:
            query["_id"] = {"$lt": _entry_id(before)}
        with failures_as_unavailable():
            cursor = self._entries.find(query).sort("_id", DESCENDING)
            documents = await cursor.limit(limit).to_list()
        return [_from_document(document) for document in documents]


def _entry_id(text: str) -> ObjectId:
    try:
        return ObjectId(text)
    except InvalidId:
        raise InvalidField("before: not the id of an entry", field="before") from None


def _from_document(document: Document) -> AuditEntry:
    return AuditEntry(
        entry_id=str(document["_id"]),
        at=document["at"],
        event=document["event"],
        source=RequestSource(document["address"], document["user_agent"]),
        user_id=document.get("user_id"),
        by=document.get("by"),
    )


def _digest(session_id: str | None) -> str | None:
    """Hash the session id: entries can be grouped by session, but the log contains no id."""
    if session_id is None:
        return None
    return hashlib.sha256(session_id.encode()).hexdigest()[:_SESSION_CHARS]
