"""Bars and the replay position in MongoDB, written together or not at all."""

from dataclasses import astuple
from typing import Any, Final

from pymongo import IndexModel, ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from services.persister.aggregate import FRESH, Carry, Checkpoint, ClosedWindow
from shared.errors import StaleEpoch
from shared.exchange_time import to_datetime
from shared.messages import Bar, BarState
from shared.mongo import Document, Mongo, ensure_collection

BARS: Final = "bars_5m"
CHECKPOINTS: Final = "checkpoints"
_ID: Final = "bars_5m"

_NUMBER: Final = ["double", "int", "long"]
_WHOLE: Final = ["int", "long"]
_WHOLE_OR_NULL: Final = ["int", "long", "null"]
BAR_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "additionalProperties": False,
    "required": [
        "_id", "key", "start", "open", "high", "low", "close", "ltt", "ticks", "state",
        "silent_ms", "epoch",
    ],
    "properties": {
        "_id": {"bsonType": "string"},
        "key": {"bsonType": "string"},
        "start": {"bsonType": "date"},
        "open": {"bsonType": _NUMBER},
        "high": {"bsonType": _NUMBER},
        "low": {"bsonType": _NUMBER},
        "close": {"bsonType": _NUMBER},
        "ltq": {"bsonType": _WHOLE_OR_NULL},
        "ltt": {"bsonType": "date"},
        "volume": {"bsonType": _WHOLE_OR_NULL},
        "vtt": {"bsonType": _WHOLE_OR_NULL},
        "atp": {"bsonType": ["double", "int", "long", "null"]},
        "oi": {"bsonType": _WHOLE_OR_NULL},
        "ticks": {"bsonType": _WHOLE},
        "state": {"enum": [state.value for state in BarState]},
        "silent_ms": {"bsonType": _WHOLE},
        "epoch": {"bsonType": _WHOLE},
    },
}  # fmt: skip


CHECKPOINT_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "required": ["_id", "epoch"],
    "properties": {"_id": {"bsonType": "string"}, "epoch": {"bsonType": _WHOLE}},
}


def bar_id(key: str, start: int) -> str:
    """The bar's `_id`: one window of one instrument has one document, however often written."""
    return f"{key}|{start}"


def bar_document(bar: Bar) -> Document:
    """A bar as it is stored: times as dates, all else as it is."""
    return {
        "_id": bar_id(bar.key, bar.start),
        "key": bar.key,
        "start": to_datetime(bar.start),
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
        "ltq": bar.ltq,
        "ltt": to_datetime(bar.ltt),
        "volume": bar.volume,
        "vtt": bar.vtt,
        "atp": bar.atp,
        "oi": bar.oi,
        "ticks": bar.ticks,
        "state": bar.state.value,
        "silent_ms": bar.silent_ms,
        "epoch": bar.epoch,
    }


class BarStore:
    """All methods raise pymongo.errors.PyMongoError while the database is away."""

    def __init__(self, mongo: Mongo) -> None:
        self._client = mongo.client
        self._db = mongo.db
        self._bars = mongo.db.get_collection(BARS)
        self._checkpoints = mongo.db.get_collection(CHECKPOINTS)

    async def prepare(self) -> None:
        """Create the collections with their validator and indexes, or bring them up to date."""
        by_key_and_time = IndexModel([("key", 1), ("start", 1)], unique=True)
        await ensure_collection(self._db, BARS, BAR_SCHEMA, [by_key_and_time])
        await ensure_collection(self._db, CHECKPOINTS, CHECKPOINT_SCHEMA, [])

    async def take_over(self, epoch: int) -> Checkpoint:
        """Shut out every older leader, and read where it had come to.

        Raises StaleEpoch if a newer leader has been here.
        """
        await self._claim(epoch, {})
        document = await self._checkpoints.find_one({"_id": _ID})
        if document is None or "position" not in document:
            return FRESH
        return Checkpoint(
            position=document["position"],
            closed_until=document["closed_until"],
            time_ms=document["time_ms"],
            feed_epoch=document["feed_epoch"],
            carries=tuple(Carry(*carry) for carry in document["carries"]),
        )

    async def commit(self, window: ClosedWindow, epoch: int) -> None:
        """Write the window's bars and the checkpoint in one transaction.

        Writing the same window again changes nothing. Raises StaleEpoch, having written
        nothing, if a newer leader has taken over.
        """
        checkpoint = window.checkpoint
        fields: Document = {
            "position": checkpoint.position,
            "closed_until": checkpoint.closed_until,
            "time_ms": checkpoint.time_ms,
            "feed_epoch": checkpoint.feed_epoch,
            "carries": [list(astuple(carry)) for carry in checkpoint.carries],
        }
        documents = [bar_document(bar) for bar in window.bars]

        async def write(session: AsyncClientSession) -> None:
            await self._claim(epoch, fields, session)
            if documents:
                await self._bars.bulk_write(
                    [ReplaceOne({"_id": doc["_id"]}, doc, upsert=True) for doc in documents],
                    ordered=False,
                    session=session,
                )

        async with self._client.start_session() as session:
            await session.with_transaction(write)

    async def _claim(
        self, epoch: int, fields: Document, session: AsyncClientSession | None = None
    ) -> None:
        """Set `fields` if no newer epoch has been here; an upsert collides with one that has."""
        try:
            await self._checkpoints.update_one(
                {"_id": _ID, "epoch": {"$lte": epoch}},
                {"$set": {"epoch": epoch, **fields}},
                upsert=True,
                session=session,
            )
        except DuplicateKeyError:
            document = await self._checkpoints.find_one({"_id": _ID}, {"epoch": 1})
            raise StaleEpoch(epoch, document["epoch"] if document else -1) from None
