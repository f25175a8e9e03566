"""The audit log in MongoDB: who did what, when and from where."""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from services.auth.core.records import Client, Event
from services.auth.stores.database import failures_as_unavailable
from shared.runtime.mongo import Document, ensure_collection

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
    """The `AuditLog` in collection `audit`: it only ever inserts, and so may its database user.

    Entries are kept for `keep_days`.
    """

    def __init__(self, db: AsyncDatabase[Document], *, keep_days: int) -> None:
        self._db = db
        self._entries = db[COLLECTION]
        self._keep = timedelta(days=keep_days)

    async def prepare(self) -> None:
        """Make the collection and its indexes; raises PyMongoError."""
        indexes = [
            IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0),
            IndexModel([("user_id", ASCENDING), ("at", ASCENDING)], name="user"),
        ]
        await ensure_collection(self._db, COLLECTION, _SCHEMA, indexes)

    async def add(
        self,
        event: Event,
        client: Client,
        now: datetime,
        *,
        user_id: str | None = None,
        session_id: str | None = None,
        by: str | None = None,
        email: str | None = None,
    ) -> None:
        """Raises Unavailable."""
        facts = {"user_id": user_id, "session": _digest(session_id), "by": by, "email": email}
        entry: Document = {
            "at": now,
            "event": event.value,
            "address": client.address,
            "user_agent": client.user_agent,
            "expires_at": now + self._keep,
        } | {name: fact for name, fact in facts.items() if fact is not None}
        with failures_as_unavailable():
            await self._entries.insert_one(entry)


def _digest(session_id: str | None) -> str | None:
    """Tells one session from another without being of use to whoever reads the log."""
    if session_id is None:
        return None
    return hashlib.sha256(session_id.encode()).hexdigest()[:_SESSION_CHARS]
