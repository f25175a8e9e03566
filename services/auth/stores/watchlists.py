"""Watchlists in MongoDB: one document for each user."""

from typing import Any, Final

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from services.auth.core.watchlists import MAX_KEYS, MAX_LISTS, Watchlist, Watchlists
from services.auth.stores.database import failures_as_unavailable
from shared.runtime.mongo import Document, ensure_collection

COLLECTION: Final = "watchlists"
_INT: Final = {"bsonType": ["int", "long"], "minimum": 1}
_TEXT: Final = {"bsonType": "string", "minLength": 1, "maxLength": 128}
_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "required": ["_id", "version", "lists"],
    "properties": {
        "_id": {"bsonType": "string", "minLength": 1},
        "version": _INT,
        "lists": {
            "bsonType": "array",
            "maxItems": MAX_LISTS,
            "items": {
                "bsonType": "object",
                "required": ["list_id", "name", "keys", "revision"],
                "properties": {
                    "list_id": _TEXT,
                    "name": _TEXT,
                    "keys": {"bsonType": "array", "maxItems": MAX_KEYS, "items": _TEXT},
                    "revision": _INT,
                },
            },
        },
    },
}


class MongoWatchlists:
    """The `WatchlistStore` in collection `watchlists`; call `prepare` once before use."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db = db
        self._users = db[COLLECTION]

    async def prepare(self) -> None:
        """Create the collection; raises PyMongoError."""
        await ensure_collection(self._db, COLLECTION, _SCHEMA, [])

    async def load(self, user_id: str) -> tuple[int, Watchlists]:
        """Raises Unavailable."""
        with failures_as_unavailable():
            document = await self._users.find_one({"_id": user_id})
        if document is None:
            return 0, ()
        return document["version"], tuple(map(_from_document, document["lists"]))

    async def replace(self, user_id: str, version: int, lists: Watchlists) -> bool:
        """Raises Unavailable."""
        new: Document = {"version": version + 1, "lists": list(map(_to_document, lists))}
        with failures_as_unavailable():
            if version > 0:
                result = await self._users.update_one(
                    {"_id": user_id, "version": version}, {"$set": new}
                )
                return result.matched_count == 1
            try:
                await self._users.insert_one({"_id": user_id} | new)
            except DuplicateKeyError:
                return False
        return True


def _from_document(document: Document) -> Watchlist:
    return Watchlist(
        list_id=document["list_id"],
        name=document["name"],
        keys=tuple(document["keys"]),
        revision=document["revision"],
    )


def _to_document(watchlist: Watchlist) -> Document:
    return {
        "list_id": watchlist.list_id,
        "name": watchlist.name,
        "keys": list(watchlist.keys),
        "revision": watchlist.revision,
    }
