"""Sessions in MongoDB, with hashes of their refresh tokens."""

from datetime import datetime, timedelta
from typing import Any, Final

from bson import Binary
from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase

from services.auth.core import refresh_tokens
from services.auth.core.records import (
    Client,
    LoginSession,
    RefreshReused,
    Rotated,
    SessionTermination,
)
from services.auth.core.refresh_tokens import Family, Rotation, Shown
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
        "ended_why": {"enum": [why.value for why in SessionTermination]},
        "announced": {"bsonType": "bool"},
    },
}  # fmt: skip


class MongoSessions:
    """The `SessionStore` in collection `sessions`; call `prepare` once before use.

    A refresh token that was just taken is answered once more for `grace_secs`: its first
    answer may have been lost. A session that was ended is kept for `remember_secs`, as long
    as an access token of it could live.
    """

    def __init__(
        self, db: AsyncDatabase[Document], *, grace_secs: float, remember_secs: float
    ) -> None:
        self._db = db
        self._sessions = db[COLLECTION]
        self._grace = timedelta(seconds=grace_secs)
        self._remember = timedelta(seconds=remember_secs)

    async def prepare(self) -> None:
        """Make the collection and its indexes; raises PyMongoError."""
        indexes = [
            # The sweeper runs once a minute: whoever reads a session checks its time too.
            IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0),
            IndexModel([("user_id", ASCENDING)], name="user"),
            IndexModel(
                [("announced", ASCENDING)],
                name="to_announce",
                partialFilterExpression={"announced": False},
            ),
        ]
        await ensure_collection(self._db, COLLECTION, _SCHEMA, indexes)
        # Those from before there were refresh tokens: nobody can renew them.
        await self._sessions.delete_many({"family_hash": {"$exists": False}})

    async def add(self, session: LoginSession, family: Family) -> None:
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
            "address": session.client.address,
            "user_agent": session.client.user_agent,
            "by_cookie": session.by_cookie,
            "family_hash": Binary(family.family_hash),
            "secret_hash": Binary(family.secret_hash),
            "rotations": 0,
        }
        with failures_as_unavailable():
            await self._sessions.insert_one(document)

    async def find(self, session_id: str, now: datetime) -> LoginSession | None:
        """Raises Unavailable."""
        return await self._find_one({"_id": session_id} | _alive(now))

    async def of_token(self, shown: str, now: datetime) -> LoginSession | None:
        """Raises Unavailable, or Unauthenticated if it has not a token's form."""
        return await self._find_one(_with_token(refresh_tokens.read(shown)) | _alive(now))

    async def of_user(self, user_id: str, now: datetime) -> list[LoginSession]:
        """Raises Unavailable."""
        with failures_as_unavailable():
            found = self._sessions.find({"user_id": user_id} | _alive(now))
            documents = await found.sort("created_at", DESCENDING).to_list()
        return [_from_document(document) for document in documents]

    async def rotate(
        self, shown: str, rotation: Rotation, *, now: datetime, idle_secs: int
    ) -> Rotated | None:
        """One atomic update decides who of several is the first; raises Unavailable.

        Raises Unauthenticated if `shown` has not a token's form, RefreshReused.
        """
        token = refresh_tokens.read(shown)
        successor = refresh_tokens.read(rotation.successor(shown))
        idle_until = now + timedelta(seconds=idle_secs)
        change = {
            "secret_hash": Binary(successor.secret_hash),
            "previous_hash": Binary(token.secret_hash),
            "salt": Binary(rotation.salt),
            "seen_at": now,
            "expires_at": {"$min": [idle_until, "$ends_at"]},
            "rotations": {"$add": ["$rotations", 1]},
        }
        with failures_as_unavailable():
            document = await self._sessions.find_one_and_update(
                _with_token(token) | _alive(now),
                [{"$set": change}],
                return_document=ReturnDocument.AFTER,
            )
        if document is not None:
            return Rotated(_from_document(document), rotation, repeated=False)
        return await self._taken_before(token, now)

    async def _taken_before(self, token: Shown, now: datetime) -> Rotated | None:
        family = {"_id": token.session_id, "family_hash": Binary(token.family_hash)}
        with failures_as_unavailable():
            document = await self._sessions.find_one(family | _alive(now))
        if document is None or document["secret_hash"] == token.secret_hash:
            return None
        session = _from_document(document)
        is_previous = document.get("previous_hash") == token.secret_hash
        if is_previous and now - session.seen_at <= self._grace:
            return Rotated(session, Rotation(document["salt"]), repeated=True)
        raise RefreshReused(session)

    async def end(self, session: LoginSession, why: SessionTermination, *, now: datetime) -> bool:
        """Raises Unavailable."""
        with failures_as_unavailable():
            done = await self._sessions.update_one(
                {"_id": session.session_id} | _alive(now), ended(why, now, self._remember)
            )
        return done.modified_count == 1

    async def authenticated(self, session: LoginSession, now: datetime) -> None:
        """Raises Unavailable."""
        with failures_as_unavailable():
            await self._sessions.update_one(
                {"_id": session.session_id}, {"$set": {"authenticated_at": now}}
            )

    async def _find_one(self, query: Document) -> LoginSession | None:
        with failures_as_unavailable():
            document = await self._sessions.find_one(query)
        return None if document is None else _from_document(document)


def _alive(now: datetime) -> Document:
    return {"ended_at": {"$exists": False}, "expires_at": {"$gt": now}}


def ended(why: SessionTermination, now: datetime, remember: timedelta) -> Document:
    """The update that ends a session, yet to be announced."""
    fields = {
        "ended_at": now,
        "ended_why": why.value,
        "announced": False,
        "expires_at": now + remember,
    }
    return {"$set": fields}


def _with_token(token: Shown) -> Document:
    return {
        "_id": token.session_id,
        "family_hash": Binary(token.family_hash),
        "secret_hash": Binary(token.secret_hash),
    }


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
        client=Client(document["address"], document["user_agent"]),
        by_cookie=document["by_cookie"],
    )
