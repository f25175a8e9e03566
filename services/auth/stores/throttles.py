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
from services.auth.core.entities import AttemptLimit
from services.auth.stores.database import failures_as_unavailable
from shared.errors import TooManyAttempts
from shared.runtime.mongo import Document, ensure_collection

COLLECTION: Final = "throttles"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_DOUBLINGS: Final = 30
_MAX_TRIES: Final = 5
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
        # A count that is lost when the primary crashes allows one more guess, which is not
        # worth the wait for a majority. Reads must then also return data that is not on a majority.
        self._counts = db.get_collection(
            COLLECTION, write_concern=WriteConcern(w=1), read_concern=ReadConcern("local")
        )

    async def prepare(self) -> None:
        """Create the collection and its index; raises PyMongoError."""
        expiry = IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)
        await ensure_collection(self._db, COLLECTION, _SCHEMA, [expiry])

    async def admit(self, key: str, limit: AttemptLimit, now: datetime) -> None:
        """Count and decide in one atomic update. Raises TooManyAttempts or Unavailable."""
        for _ in range(_MAX_TRIES):
            with failures_as_unavailable():
                try:
                    await self._counts.update_one(
                        {"_id": key, "blocked_until": {"$lte": now}},
                        _count_update(limit, now),
                        upsert=True,
                    )
                except DuplicateKeyError:
                    # The document exists, so it is blocked or was created at this moment.
                    wait_secs = await self._wait_secs(key, now)
                else:
                    return
            if wait_secs > 0:
                break
        metrics.THROTTLED_ATTEMPTS.labels(key.partition("|")[0]).inc()
        raise TooManyAttempts(
            "too many attempts; wait before the next one",
            retry_after_secs=max(1, math.ceil(wait_secs)),
        )

    async def reset(self, key: str) -> None:
        """Raises Unavailable."""
        with failures_as_unavailable():
            await self._counts.delete_one({"_id": key})

    async def refund(self, key: str) -> None:
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


def _count_update(limit: AttemptLimit, now: datetime) -> list[Document]:
    """The update that counts an attempt and sets the time of the next permitted attempt."""
    doublings = {
        "$min": [_MAX_DOUBLINGS, {"$subtract": ["$attempts", limit.free_attempts + 1]}],
    }
    delay_ms = {
        "$min": [
            limit.max_delay_secs * 1_000,
            {"$multiply": [limit.base_delay_secs * 1_000, {"$pow": [2, doublings]}]},
        ]
    }
    is_current = {"$gt": [{"$ifNull": ["$expires_at", _EPOCH]}, now]}
    return [
        {"$set": {"attempts": {"$cond": [is_current, {"$add": ["$attempts", 1]}, 1]}}},
        {
            "$set": {
                "blocked_until": {
                    "$cond": [
                        {"$lte": ["$attempts", limit.free_attempts]},
                        _EPOCH,
                        {"$add": [now, {"$toLong": delay_ms}]},
                    ]
                },
                "expires_at": now + timedelta(seconds=limit.reset_after_secs),
            }
        },
    ]
