"""Accounts in MongoDB."""

from datetime import datetime
from typing import Any, Final

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from services.auth.core.entities import User
from services.auth.stores.database import failures_as_unavailable
from shared.errors import EmailTaken
from shared.runtime.mongo import Document, ensure_collection

COLLECTION: Final = "users"
_LAST_CHARACTER: Final = "\U0010ffff"
# Unknown fields are allowed: during an upgrade, an older process that starts last must not
# make the writes of a newer one invalid.
_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "required": ["_id", "email", "password_hash", "created_at", "roles"],
    "properties": {
        "_id": {"bsonType": "string", "minLength": 1},
        "email": {"bsonType": "string", "minLength": 3, "maxLength": 254},
        "password_hash": {"bsonType": "string", "pattern": r"^v[0-9]+\$"},
        "created_at": {"bsonType": "date"},
        "roles": {"bsonType": "array", "items": {"bsonType": "string"}},
        "generation": {"bsonType": ["int", "long"]},
        "disabled_at": {"bsonType": ["date", "null"]},
        "last_login_at": {"bsonType": "date"},
        "password_changed_at": {"bsonType": "date"},
        "revoked_before": {"bsonType": "date"},
        "announced": {"bsonType": "bool"},
    },
}


class MongoUsers:
    """The `UserStore` in collection `users`; call `prepare` once before use."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db = db
        self._users = db[COLLECTION]

    async def prepare(self) -> None:
        """Create the collection and its indexes; raises PyMongoError."""
        indexes = [
            IndexModel([("email", ASCENDING)], name="email", unique=True),
            IndexModel(
                [("announced", ASCENDING)],
                name="to_announce",
                partialFilterExpression={"announced": False},
            ),
        ]
        await ensure_collection(self._db, COLLECTION, _SCHEMA, indexes)
        # Accounts of earlier versions lack these fields.
        await self._users.update_many(
            {"generation": {"$exists": False}}, {"$set": {"generation": 0, "disabled_at": None}}
        )

    async def add(self, user: User) -> None:
        """Raises EmailTaken or Unavailable."""
        document = {
            "_id": user.user_id,
            "email": user.email,
            "password_hash": user.password_hash,
            "created_at": user.created_at,
            "roles": list(user.roles),
            "generation": user.generation,
            "disabled_at": user.disabled_at,
        }
        with failures_as_unavailable():
            try:
                await self._users.insert_one(document)
            except DuplicateKeyError:
                raise EmailTaken("an account with this e-mail address exists") from None

    async def find(self, user_id: str) -> User | None:
        """Raises Unavailable."""
        return await self._find_one({"_id": user_id})

    async def find_by_email(self, email: str) -> User | None:
        """Raises Unavailable."""
        return await self._find_one({"email": email})

    async def list_page(self, after: str, limit: int, prefix: str = "") -> list[User]:
        """Raises Unavailable."""
        email: Document = {"$gt": after, "$gte": prefix, "$lt": prefix + _LAST_CHARACTER}
        with failures_as_unavailable():
            cursor = self._users.find({"email": email}).sort("email", ASCENDING)
            documents = await cursor.limit(limit).to_list()
        return [_from_document(document) for document in documents]

    async def record_login(self, user: User, now: datetime) -> bool:
        """Raises Unavailable."""
        unchanged = {
            "_id": user.user_id,
            "generation": user.generation,
            "disabled_at": None,
        }
        with failures_as_unavailable():
            result = await self._users.update_one(unchanged, {"$set": {"last_login_at": now}})
        return result.matched_count == 1

    async def rehash(self, user: User, password_hash: str) -> None:
        """Raises Unavailable."""
        unchanged = {"_id": user.user_id, "password_hash": user.password_hash}
        with failures_as_unavailable():
            await self._users.update_one(unchanged, {"$set": {"password_hash": password_hash}})

    async def enable(self, user_id: str) -> bool:
        """Raises Unavailable."""
        with failures_as_unavailable():
            result = await self._users.update_one({"_id": user_id}, {"$set": {"disabled_at": None}})
        return result.matched_count == 1

    async def list_with_role(self, role: str) -> list[User]:
        """Return all accounts with a role, by address; reads all accounts. Raises Unavailable."""
        with failures_as_unavailable():
            documents = await self._users.find({"roles": role}).sort("email", ASCENDING).to_list()
        return [_from_document(document) for document in documents]

    async def grant(self, user_id: str, role: str) -> None:
        """Give an account a role, if there is the account. Raises Unavailable."""
        with failures_as_unavailable():
            await self._users.update_one({"_id": user_id}, {"$addToSet": {"roles": role}})

    async def take_back(self, user_id: str, role: str) -> None:
        """Take a role away from an account, if there is the account. Raises Unavailable."""
        with failures_as_unavailable():
            await self._users.update_one({"_id": user_id}, {"$pull": {"roles": role}})

    async def _find_one(self, query: Document) -> User | None:
        with failures_as_unavailable():
            document = await self._users.find_one(query)
        return None if document is None else _from_document(document)


def _from_document(document: Document) -> User:
    return User(
        user_id=document["_id"],
        email=document["email"],
        password_hash=document["password_hash"],
        created_at=document["created_at"],
        roles=tuple(document["roles"]),
        disabled_at=document.get("disabled_at"),
        last_login_at=document.get("last_login_at"),
        generation=document["generation"],
    )
