"""The stored instruments: brought up to date once a day, searched and served."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.errors import PyMongoError

from services.persister.instruments.search_rank import best_first, query_words
from shared.contracts.instruments import (
    GetReply,
    GetRequest,
    Instrument,
    SearchReply,
    SearchRequest,
)
from shared.errors import InvalidField, Unavailable
from shared.runtime.mongo import Document, Mongo, ensure_collection

INSTRUMENTS: Final = "instruments"
MASTERS: Final = "masters"
_MOST_COMPARED: Final = 400
_STRING: Final = {"bsonType": "string"}
_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "required": ["_id", "symbol", "name", "segment", "exchange", "type", "words", "standing"],
    "properties": {
        **dict.fromkeys(("_id", "symbol", "name", "segment", "exchange", "type"), _STRING),
        "words": {"bsonType": "array", "items": _STRING},
        "standing": {"bsonType": ["int", "long"]},
    },
}
_OWN: Final = ("words", "standing")


class InstrumentStore:
    """Writing methods raise pymongo.errors.PyMongoError while the database is away."""

    def __init__(self, mongo: Mongo) -> None:
        self._db = mongo.db
        self._rows = mongo.db.get_collection(INSTRUMENTS)
        self._masters = mongo.db.get_collection(MASTERS)

    async def prepare(self) -> None:
        """Create the collection with its validator and indexes, or bring it up to date."""
        by_word = IndexModel([("words", ASCENDING), ("standing", ASCENDING)])
        await ensure_collection(self._db, INSTRUMENTS, _SCHEMA, [by_word])

    async def loaded(self, url: str) -> str | None:
        """The day (YYYY-MM-DD) whose master was stored completely, if any was."""
        document = await self._masters.find_one({"_id": url})
        return None if document is None else str(document["day"])

    async def count(self) -> int:
        """How many are stored."""
        return await self._rows.estimated_document_count()

    async def write(self, rows: Iterable[tuple[Instrument, int, list[str]]]) -> None:
        """Add or change instruments, each with its standing and words."""
        writes = []
        for instrument, standing, words in rows:
            fields: Document = msgspec.to_builtins(instrument)
            key = fields.pop("key")
            change: Document = {"$set": fields | {"words": words, "standing": standing}}
            gone = [name for name in instrument.__struct_fields__[1:] if name not in fields]
            if gone:
                change["$unset"] = dict.fromkeys(gone, "")
            writes.append(UpdateOne({"_id": key}, change, upsert=True))
        if writes:
            await self._rows.bulk_write(writes, ordered=False)

    async def finish(self, url: str, day: str, keys: set[str]) -> int:
        """All of that day's master is written: forget what is not in it; how many that was."""
        stored = [row["_id"] async for row in self._rows.find({}, {"_id": 1})]
        gone = [key for key in stored if key not in keys]
        for at in range(0, len(gone), 1_000):
            await self._rows.delete_many({"_id": {"$in": gone[at : at + 1_000]}})
        await self._masters.update_one({"_id": url}, {"$set": {"day": day}}, upsert=True)
        return len(gone)

    async def search(self, request: SearchRequest) -> SearchReply:
        """Best first. Raises InvalidField, or Unavailable while the database is away."""
        words = query_words(request.query)
        if not words:
            raise InvalidField("query holds no word", field="query")
        query: dict[str, Any] = {"words": {"$all": [re.compile("^" + re.escape(w)) for w in words]}}
        if request.types:
            query["type"] = {"$in": [kind.upper() for kind in request.types]}
        if request.segments:
            query["segment"] = {"$in": [segment.upper() for segment in request.segments]}
        if request.expiry is not None:
            query["expiry"] = request.expiry
        order = [("standing", 1), ("expiry", 1), ("symbol", 1)]
        try:
            rows = await self._rows.find(query).sort(order).limit(_MOST_COMPARED).to_list()
        except PyMongoError:
            raise Unavailable("instruments cannot be read at the moment") from None
        found = [(_instrument(row), row["standing"], row["words"]) for row in rows]
        return SearchReply(instruments=best_first(request.query, found)[: request.limit])

    async def get(self, request: GetRequest) -> GetReply:
        """In the order asked for. Raises Unavailable while the database is away."""
        try:
            rows = await self._rows.find({"_id": {"$in": list(request.keys)}}).to_list()
        except PyMongoError:
            raise Unavailable("instruments cannot be read at the moment") from None
        found = {row["_id"]: _instrument(row) for row in rows}
        return GetReply(
            instruments=[found[key] for key in request.keys if key in found],
            unknown=_absent(request.keys, found),
        )


def _absent(keys: Sequence[str], found: dict[str, Instrument]) -> list[str]:
    return [key for key in keys if key not in found]


def _instrument(row: Document) -> Instrument:
    fields = {name: value for name, value in row.items() if name not in _OWN}
    return msgspec.convert(fields | {"key": fields.pop("_id")}, Instrument)
