"""Sessions in MongoDB, with hashes of their refresh tokens; rotates these tokens."""

from datetime import datetime, timedelta
from typing import Any, Final

from bson import Binary
from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase

from services.auth.core import refresh_tokens
from services.auth.core.entities import LoginSession, RequestSource, SessionTermination
from services.auth.core.ports import RefreshTokenReused, Rotation
from services.auth.core.refresh_tokens import PresentedToken, RotationSalt, TokenFamily
from services.auth.stores.database import failures_as_unavailable
from shared.runtime.mongo import Document, ensure_collection

COLLECTION: Final = "sessions"
_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "required": [
        "_id", "user_id", "generation", "created_at", "authenticated_at", "seen_at",
        "expires_at", "ends_at", "address", "user_agent", "by_cookie", "family_hash",
        "secret_hash", "rotations",
    ],
    "properties": {
        "_id": {"bsonType": "string", "minLength": 1},
        "user_id": {"bsonType": "string", "minLength": 1},
        "generation": {"bsonType": ["int", "long"]},
        "created_at": {"bsonType": "date"},
        "authenticated_at": {"bsonType": "date"},
        "seen_at": {"bsonType": "date"},
        "expires_at": {"bsonType": "date"},
        "ends_at": {"bsonType": "date"},
        "address": {"bsonType": "string", "maxLength": 64},
        "user_agent": {"bsonType": "string", "maxLength": 200},
        "by_cookie": {"bsonType": "bool"},
        "family_hash": {"bsonType": "binData"},
        "secret_hash": {"bsonType": "binData"},
        "previous_hash": {"bsonType": "binData"},
        "salt": {"bsonType": "binData"},
        "rotations": {"bsonType": ["int", "long"]},
        "ended_at": {"bsonType": "date"},
        "ended_why": {"enum": [reason.value for reason in SessionTermination]},
        "announced": {"bsonType": "bool"},
    },
}  # fmt: skip


class MongoSessions:
    """The `SessionStore` in collection `sessions`; call `prepare` once before use.

    For `grace_secs` after its use a refresh token gets the same answer again, since the first
    answer may have been lost. A session that was ended is stored for `retention_secs`, as long
    as one of its access tokens can be valid.
    """

    def __init__(
        self, db: AsyncDatabase[Document], *, grace_secs: float, retention_secs: float
    ) -> None:
        self._db = db
        self._sessions = db[COLLECTION]
        self._grace = timedelta(seconds=grace_secs)
        self._retention = timedelta(seconds=retention_secs)

    async def prepare(self) -> None:
        """Create the collection and its indexes; raises PyMongoError."""
        indexes = [
            # MongoDB deletes expired documents once a minute; queries check the time as well.
            IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0),
            IndexModel([("user_id", ASCENDING)], name="user"),
            IndexModel(
                [("announced", ASCENDING)],
                name="to_announce",
                partialFilterExpression={"announced": False},
            ),
        ]
        await ensure_collection(self._db, COLLECTION, _SCHEMA, indexes)
        # Sessions of earlier versions have no refresh token.
        await self._sessions.delete_many({"family_hash": {"$exists": False}})

    async def add(self, session: LoginSession, family: TokenFamily) -> None:
        """Raises Unavailable."""
        document = {
            "_id": session.session_id,
            "user_id": session.user_id,
            "generation": session.generation,
            "created_at": session.created_at,
            "authenticated_at": session.authenticated_at,
            "seen_at": session.seen_at,
            "expires_at": session.expires_at,
            "ends_at": session.ends_at,
            "address": session.source.address,
            "user_agent": session.source.user_agent,
            "by_cookie": session.by_cookie,
            "family_hash": Binary(family.family_hash),
            "secret_hash": Binary(family.secret_hash),
            "rotations": 0,
        }
        with failures_as_unavailable():
            await self._sessions.insert_one(document)

    async def find(self, session_id: str, now: datetime) -> LoginSession | None:
        """Raises Unavailable."""
        return await self._find_one({"_id": session_id} | _active(now))

    async def find_by_refresh_token(self, refresh_token: str, now: datetime) -> LoginSession | None:
        """Raises Unavailable, or Unauthenticated if the text is not a refresh token."""
        token = refresh_tokens.parse(refresh_token)
        return await self._find_one(_of_family(token) | _active(now))

    async def list_of_user(self, user_id: str, now: datetime) -> list[LoginSession]:
        """Raises Unavailable."""
        with failures_as_unavailable():
            cursor = self._sessions.find({"user_id": user_id} | _active(now))
            documents = await cursor.sort("created_at", DESCENDING).to_list()
        return [_from_document(document) for document in documents]

    async def rotate(
        self, refresh_token: str, salt: RotationSalt, *, now: datetime, idle_timeout_secs: int
    ) -> Rotation | None:
        """Rotate in one atomic update, which decides which of concurrent requests is the first.

        Raises Unavailable, RefreshTokenReused, or Unauthenticated if the text is not a refresh
        token.
        """
        token = refresh_tokens.parse(refresh_token)
        successor = refresh_tokens.parse(salt.successor(refresh_token))
        idle_until = now + timedelta(seconds=idle_timeout_secs)
        change = {
            "secret_hash": Binary(successor.secret_hash),
            "previous_hash": Binary(token.secret_hash),
            "salt": Binary(salt.value),
            "seen_at": now,
            "expires_at": {"$min": [idle_until, "$ends_at"]},
            "rotations": {"$add": ["$rotations", 1]},
        }
        with failures_as_unavailable():
            document = await self._sessions.find_one_and_update(
                _with_token(token) | _active(now),
                [{"$set": change}],
                return_document=ReturnDocument.AFTER,
            )
        if document is not None:
            return Rotation(_from_document(document), salt, repeated=False)
        return await self._repeat_rotation(token, now)

    async def _repeat_rotation(self, token: PresentedToken, now: datetime) -> Rotation | None:
        """Return the rotation of a token that was used within the grace period."""
        with failures_as_unavailable():
            document = await self._sessions.find_one(_of_family(token) | _active(now))
        if document is None or document["secret_hash"] == token.secret_hash:
            return None
        session = _from_document(document)
        is_previous = document.get("previous_hash") == token.secret_hash
        if is_previous and now - session.seen_at <= self._grace:
            return Rotation(session, RotationSalt(document["salt"]), repeated=True)
        raise RefreshTokenReused(session)

    async def end(
        self, session: LoginSession, reason: SessionTermination, *, now: datetime
    ) -> bool:
        """Raises Unavailable."""
        with failures_as_unavailable():
            result = await self._sessions.update_one(
                {"_id": session.session_id} | _active(now),
                termination_update(reason, now, self._retention),
            )
        return result.modified_count == 1

    async def record_authentication(self, session: LoginSession, now: datetime) -> None:
        """Raises Unavailable."""
        with failures_as_unavailable():
            await self._sessions.update_one(
                {"_id": session.session_id}, {"$set": {"authenticated_at": now}}
            )

    async def _find_one(self, query: Document) -> LoginSession | None:
        with failures_as_unavailable():
            document = await self._sessions.find_one(query)
        return None if document is None else _from_document(document)


def _active(now: datetime) -> Document:
    return {"ended_at": {"$exists": False}, "expires_at": {"$gt": now}}


def termination_update(reason: SessionTermination, now: datetime, retention: timedelta) -> Document:
    """Return the update that ends a session and records its revocation as unpublished."""
    fields = {
        "ended_at": now,
        "ended_why": reason.value,
        "announced": False,
        "expires_at": now + retention,
    }
    return {"$set": fields}


def _of_family(token: PresentedToken) -> Document:
    return {"_id": token.session_id, "family_hash": Binary(token.family_hash)}


def _with_token(token: PresentedToken) -> Document:
    return _of_family(token) | {"secret_hash": Binary(token.secret_hash)}


def _from_document(document: Document) -> LoginSession:
    return LoginSession(
        session_id=document["_id"],
        user_id=document["user_id"],
        generation=document["generation"],
        created_at=document["created_at"],
        authenticated_at=document["authenticated_at"],
        seen_at=document["seen_at"],
        expires_at=document["expires_at"],
        ends_at=document["ends_at"],
        source=RequestSource(document["address"], document["user_agent"]),
        by_cookie=document["by_cookie"],
    )
