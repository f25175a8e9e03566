"""Sessions in MongoDB."""

from typing import Any, Final

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from services.auth.accounts import Session
from services.auth.database import failures_as_unavailable
from shared.mongo import Document, ensure_collection

COLLECTION: Final = "sessions"
_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "required": ["_id", "user_id", "created_at", "expires_at"],
    "properties": {
        "_id": {"bsonType": "string", "minLength": 1},
        "user_id": {"bsonType": "string", "minLength": 1},
        "created_at": {"bsonType": "date"},
        "expires_at": {"bsonType": "date"},
    },
}


class MongoSessions:
    """The `SessionStore` in collection `sessions`; call `prepare` once before use."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db = db
        self._sessions = db[COLLECTION]

    async def prepare(self) -> None:
        """Make the collection and its indexes; raises PyMongoError."""
        indexes = [
            # The sweeper runs once a minute: whoever reads a session checks its time too.
            IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0),
            IndexModel([("user_id", ASCENDING)], name="user"),
        ]
        await ensure_collection(self._db, COLLECTION, _SCHEMA, indexes)

    async def add(self, session: Session) -> None:
        """Raises Unavailable."""
        document = {
            "_id": session.session_id,
            "user_id": session.user_id,
            "created_at": session.created_at,
            "expires_at": session.expires_at,
        }
        with failures_as_unavailable():
            await self._sessions.insert_one(document)
