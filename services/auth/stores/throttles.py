"""Counts of attempts in MongoDB, shared by all replicas."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from services.auth import metrics
from services.auth.core.records import AttemptLimit
from services.auth.stores.database import failures_as_unavailable
from shared.errors import TooManyAttempts
from shared.runtime.mongo import Document, ensure_collection

COLLECTION: Final = "throttles"
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_DOUBLINGS: Final = 30
_MOST_TRIES: Final = 5
_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "required": ["_id", "attempts", "blocked_until", "expires_at"],
    "properties": {
        "_id": {"bsonType": "string", "minLength": 1, "maxLength": 200},
        "attempts": {"bsonType": ["int", "long", "double"]},
        "blocked_until": {"bsonType": "date"},
        "expires_at": {"bsonType": "date"},
    },
}


class MongoThrottle:
    """The `Throttle` in collection `throttles`; call `prepare` once before use."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db = db
        # A count that a crash of the primary loses costs us one guess: not worth the wait.
        # So we must read what is not yet on a majority, too.
        self._counts = db.get_collection(
            COLLECTION, write_concern=WriteConcern(w=1), read_concern=ReadConcern("local")
        )

    async def prepare(self) -> None:
        """Make the collection and its index; raises PyMongoError."""
        expiry = IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)
        await ensure_collection(self._db, COLLECTION, _SCHEMA, [expiry])

    async def admit(self, key: str, limit: AttemptLimit, now: datetime) -> None:
        """Counts and decides in one atomic step. Raises TooManyAttempts or Unavailable."""
        for _ in range(_MOST_TRIES):
            with failures_as_unavailable():
                try:
                    await self._counts.update_one(
                        {"_id": key, "blocked_until": {"$lte": now}},
                        _one_more(limit, now),
                        upsert=True,
                    )
                except DuplicateKeyError:
                    # It exists, so it is blocked; or it has been made this moment.
                    wait_secs = await self._wait_secs(key, now)
                else:
                    return
            if wait_secs > 0:
                break
        metrics.THROTTLED.labels(key.partition("|")[0]).inc()
        raise TooManyAttempts(
            "too many attempts; wait before the next one",
            retry_after_secs=max(1, math.ceil(wait_secs)),
        )

    async def forget(self, key: str) -> None:
        """Raises Unavailable."""
        with failures_as_unavailable():
            await self._counts.delete_one({"_id": key})

    async def give_back(self, key: str) -> None:
        """Raises Unavailable."""
        with failures_as_unavailable():
            await self._counts.update_one(
                {"_id": key, "attempts": {"$gt": 0}}, {"$inc": {"attempts": -1}}
            )

    async def _wait_secs(self, key: str, now: datetime) -> float:
        document = await self._counts.find_one({"_id": key})
        if document is None:
            return 0.0
        until: datetime = document["blocked_until"]
        return (until - now).total_seconds()


def _one_more(limit: AttemptLimit, now: datetime) -> list[Document]:
    """The update that counts an attempt and says when the next one is let in."""
    doublings = {
        "$min": [_MOST_DOUBLINGS, {"$subtract": ["$attempts", limit.free + 1]}],
    }
    delay_ms = {
        "$min": [
            limit.cap_secs * 1_000,
            {"$multiply": [limit.base_secs * 1_000, {"$pow": [2, doublings]}]},
        ]
    }
    is_fresh = {"$gt": [{"$ifNull": ["$expires_at", _LONG_AGO]}, now]}
    return [
        {"$set": {"attempts": {"$cond": [is_fresh, {"$add": ["$attempts", 1]}, 1]}}},
        {
            "$set": {
                "blocked_until": {
                    "$cond": [
                        {"$lte": ["$attempts", limit.free]},
                        _LONG_AGO,
                        {"$add": [now, {"$toLong": delay_ms}]},
                    ]
                },
                "expires_at": now + timedelta(seconds=limit.forget_secs),
            }
        },
    ]
