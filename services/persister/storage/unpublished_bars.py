"""Notes of stored bars that have to be published; written with the bars, removed afterwards.

A leader may be killed between storing a bar and publishing it. Its successor reads the notes and
publishes the bars, so that each stored bar is published at least once.
"""

import uuid
from collections.abc import Sequence
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession

from services.persister.storage.documents import bar_from_document, bar_id
from services.persister.stored_bars import StoredBars
from shared.contracts.messages import Bar
from shared.runtime.mongo import Mongo, ensure_collection

UNPUBLISHED: Final = "unpublished_bars"
_BARS: Final = "bars_5m"
# At most 142 bytes each, so a note stays far below MongoDB's 16 MiB for a document.
_BARS_PER_NOTE: Final = 2_000
_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "additionalProperties": False,
    "required": ["_id", "bars"],
    "properties": {
        "_id": {"bsonType": "string"},
        "bars": {"bsonType": "array", "items": {"bsonType": "string"}},
    },
}


class UnpublishedBars:
    """All methods raise PyMongoError while the database is unavailable."""

    def __init__(self, mongo: Mongo) -> None:
        self._db = mongo.db
        self._notes = mongo.db.get_collection(UNPUBLISHED)
        self._bars = mongo.db.get_collection(_BARS)

    async def prepare(self) -> None:
        """Create the collection."""
        await ensure_collection(self._db, UNPUBLISHED, _SCHEMA, [])

    async def note(self, bars: Sequence[Bar], session: AsyncClientSession) -> StoredBars:
        """Store in the transaction of `session` that `bars` have to be published."""
        notes = [
            {
                "_id": uuid.uuid4().hex,
                "bars": [bar_id(bar.key, bar.start) for bar in bars[at : at + _BARS_PER_NOTE]],
            }
            for at in range(0, len(bars), _BARS_PER_NOTE)
        ]
        if notes:
            await self._notes.insert_many(notes, ordered=False, session=session)
        return StoredBars(bars, [str(note["_id"]) for note in notes])

    async def next(self) -> StoredBars | None:
        """The bars of one note, as they are stored now; None if there is no note."""
        note = await self._notes.find_one()
        if note is None:
            return None
        found = self._bars.find({"_id": {"$in": note["bars"]}}).sort("start")
        return StoredBars([bar_from_document(bar) async for bar in found], [note["_id"]])

    async def remove(self, notes: Sequence[str]) -> None:
        """Remove notes whose bars were published."""
        await self._notes.delete_many({"_id": {"$in": list(notes)}})
