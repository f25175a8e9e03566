"""Accounts in MongoDB."""

from typing import Any, Final

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from services.auth.accounts import User
from services.auth.database import failures_as_unavailable
from shared.errors import EmailTaken
from shared.mongo import Document, ensure_collection

COLLECTION: Final = "users"
# Fields it does not name are let through: during an upgrade, the older process that
# starts last must not make the newer one's writes invalid.
_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "required": ["_id", "email", "password_hash", "created_at", "roles"],
    "properties": {
        "_id": {"bsonType": "string", "minLength": 1},
        "email": {"bsonType": "string", "minLength": 3, "maxLength": 254},
        "password_hash": {"bsonType": "string", "pattern": r"^v[0-9]+\$"},
        "created_at": {"bsonType": "date"},
        "roles": {"bsonType": "array", "items": {"bsonType": "string"}},
    },
}


class MongoUsers:
    """The `UserStore` in collection `users`; call `prepare` once before use."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db = db
        self._users = db[COLLECTION]

    async def prepare(self) -> None:
        """Make the collection and its unique index; raises PyMongoError."""
        unique_email = IndexModel([("email", ASCENDING)], name="email", unique=True)
        await ensure_collection(self._db, COLLECTION, _SCHEMA, [unique_email])

    async def add(self, user: User) -> None:
        """Raises EmailTaken or Unavailable."""
        with failures_as_unavailable():
            try:
                await self._users.insert_one(_to_document(user))
            except DuplicateKeyError:
                raise EmailTaken("an account with this e-mail address exists") from None

    async def find(self, user_id: str) -> User | None:
        """Raises Unavailable."""
        return await self._find_one({"_id": user_id})

    async def find_by_email(self, email: str) -> User | None:
        """Raises Unavailable."""
        return await self._find_one({"email": email})

    async def _find_one(self, query: Document) -> User | None:
        with failures_as_unavailable():
            document = await self._users.find_one(query)
        return None if document is None else _from_document(document)


def _to_document(user: User) -> Document:
    return {
        "_id": user.user_id,
        "email": user.email,
        "password_hash": user.password_hash,
        "created_at": user.created_at,
        "roles": list(user.roles),
    }


def _from_document(document: Document) -> User:
    return User(
        user_id=document["_id"],
        email=document["email"],
        password_hash=document["password_hash"],
        created_at=document["created_at"],
        roles=tuple(document["roles"]),
    )
