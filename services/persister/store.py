"""Bars and the replay position in MongoDB, written together or not at all."""

from dataclasses import astuple
from typing import Any, Final

from pymongo import IndexModel, ReplaceOne, ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from services.persister.aggregate import ClosedWindow
from services.persister.checkpoint import FRESH, Carry, Checkpoint
from shared.errors import StaleEpoch
from shared.exchange_time import to_datetime
from shared.messages import Bar, BarState
from shared.mongo import Document, Mongo, ensure_collection

BARS: Final = "bars_5m"
CHECKPOINTS: Final = "checkpoints"
_ID: Final = "bars_5m"
_CHECKPOINT_FIELDS: Final = (
    "stream", "position", "next_position", "closed_until", "time_ms", "feed_ms", "gap_ms",
    "feed_epoch",
)  # fmt: skip

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

    async def take_over(self) -> tuple[int, Checkpoint]:
        """Shut out every older leader: our epoch, and where the last one had come to.

        The epoch counts here and not in the lease's bucket, which could be lost.
        """
        document: Document = await self._checkpoints.find_one_and_update(  # type: ignore[assignment]
            {"_id": _ID},
            {"$inc": {"epoch": 1}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        epoch: int = document["epoch"]
        if "position" not in document:
            return epoch, FRESH
        checkpoint = Checkpoint(
            carries=tuple(Carry(*carry) for carry in document["carries"]),
            **{name: document[name] for name in _CHECKPOINT_FIELDS},
        )
        return epoch, checkpoint

    async def commit(self, window: ClosedWindow, epoch: int) -> None:
        """Write the window's bars and the checkpoint in one transaction.

        Writing the same window again changes nothing. Raises StaleEpoch, having written
        nothing, if a newer leader has taken over.
        """
        checkpoint = window.checkpoint
        fields: Document = {name: getattr(checkpoint, name) for name in _CHECKPOINT_FIELDS}
        fields["carries"] = [list(astuple(carry)) for carry in checkpoint.carries]
        documents = [bar_document(bar) for bar in window.bars]

        async def write(session: AsyncClientSession) -> None:
            await self._move(epoch, fields, session)
            if documents:
                await self._bars.bulk_write(
                    [ReplaceOne({"_id": doc["_id"]}, doc, upsert=True) for doc in documents],
                    ordered=False,
                    session=session,
                )

        async with self._client.start_session() as session:
            await session.with_transaction(write)

    async def _move(self, epoch: int, fields: Document, session: AsyncClientSession) -> None:
        moved = await self._checkpoints.update_one(
            {"_id": _ID, "epoch": epoch}, {"$set": fields}, session=session
        )
        if not moved.matched_count:
            document = await self._checkpoints.find_one({"_id": _ID}, session=session)
            raise StaleEpoch(epoch, document["epoch"] if document else 0)
