"""Instruments in MongoDB: written with each new master, searched and read by key at any time."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from pymongo import ASCENDING, IndexModel, ReplaceOne
from pymongo.errors import PyMongoError

from services.persister.instruments.master_acceptance import MasterRecord, Refusal
from services.persister.instruments.search_query import (
    Contract,
    OptionQuery,
    nearest_contracts,
    option_query,
    query_words,
    spellings,
)
from services.persister.instruments.search_rank import rank_matches
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
_CURRENT: Final = "current"
_MAX_MATCHES: Final = 400
_MAX_CONTRACTS: Final = 20_000
_DELETE_BATCH: Final = 1_000
_STRING: Final = {"bsonType": "string"}
_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "required": ["_id", "symbol", "name", "segment", "exchange", "type", "words", "search_rank"],
    "properties": {
        **dict.fromkeys(("_id", "symbol", "name", "segment", "exchange", "type"), _STRING),
        "words": {"bsonType": "array", "items": _STRING},
        "search_rank": {"bsonType": ["int", "long"]},
    },
}
# Fields of a document that are not fields of the instrument.
_SEARCH_FIELDS: Final = ("words", "search_rank")


class InstrumentStore:
    """Stores instruments, and answers the requests `instruments.search` and `instruments.get`.

    Methods that write raise pymongo.errors.PyMongoError while the database is unavailable.
    """

    def __init__(self, mongo: Mongo) -> None:
        self._db = mongo.db
        self._instruments = mongo.db.get_collection(INSTRUMENTS)
        self._masters = mongo.db.get_collection(MASTERS)

    async def prepare(self) -> None:
        """Create the collection with its validator and indexes, or bring it up to date."""
        by_word = IndexModel([("words", ASCENDING), ("search_rank", ASCENDING)])
        by_underlying = IndexModel([("underlying_key", ASCENDING), ("expiry", ASCENDING)])
        await ensure_collection(self._db, INSTRUMENTS, _SCHEMA, [by_word, by_underlying])

    async def master(self) -> MasterRecord:
        """The stored record of the masters loaded and refused so far."""
        document = await self._masters.find_one({"_id": _CURRENT})
        if document is None:
            return MasterRecord()
        return msgspec.convert(document, MasterRecord, strict=False)

    async def knows(self, key: str) -> bool | None:
        """Whether the master has `key`; None if none has been completed. Raises PyMongoError."""
        if await self._instruments.find_one({"_id": key}, {"_id": 1}) is not None:
            return True
        return False if (await self.master()).day else None

    async def record_refusal(self, refusals: Sequence[Refusal]) -> None:
        """Replace the list of refused masters."""
        change = {"$set": {"refusals": msgspec.to_builtins(list(refusals))}}
        await self._masters.update_one({"_id": _CURRENT}, change, upsert=True)

    async def count(self) -> int:
        """Number of stored instruments."""
        return await self._instruments.estimated_document_count()

    async def begin(self, url: str) -> None:
        """Record that a master of this address is being stored; `finish` completes it.

        The day and size of a complete master of the same address remain: lookups use the stored
        instruments meanwhile, and the next file is compared with that master.
        """
        record = await self.master()
        fields: Document = {"url": url, "day": "", "validator": "", "size": 0, "is_loading": True}
        if record.url == url and record.day:
            # The number of stored instruments is that of one master only until the first write.
            fields |= {"day": record.day, "size": record.size or await self.count()}
        await self._masters.update_one({"_id": _CURRENT}, {"$set": fields}, upsert=True)

    async def write(self, rows: Iterable[tuple[Instrument, int, list[str]]]) -> None:
        """Add or change instruments, each with its search rank and words."""
        writes = []
        for instrument, rank, words in rows:
            document: Document = msgspec.to_builtins(instrument)
            key = document.pop("key")
            document |= {"words": words, "search_rank": rank}
            writes.append(ReplaceOne({"_id": key}, document, upsert=True))
        if writes:
            await self._instruments.bulk_write(writes, ordered=False)

    async def finish(self, url: str, day: str, validator: str, keys: set[str]) -> int:
        """Record that this master of `day` is stored, after deleting instruments not in `keys`.

        Returns how many were deleted.
        """
        stored = [row["_id"] async for row in self._instruments.find({}, {"_id": 1})]
        obsolete = [key for key in stored if key not in keys]
        for at in range(0, len(obsolete), _DELETE_BATCH):
            batch = obsolete[at : at + _DELETE_BATCH]
            await self._instruments.delete_many({"_id": {"$in": batch}})
        size = len(stored) - len(obsolete)
        record = MasterRecord(url=url, day=day, validator=validator, size=size)
        document = msgspec.to_builtins(record)
        await self._masters.replace_one({"_id": _CURRENT}, document, upsert=True)
        await self._masters.delete_many({"_id": {"$ne": _CURRENT}})
        return len(obsolete)

    async def search(self, request: SearchRequest) -> SearchReply:
        """Matching instruments, best first.

        Raises InvalidField, or Unavailable if the database does not answer.
        """
        if not query_words(request.query):
            raise InvalidField("query must contain a word", field="query")
        try:
            found = await self._matches(request)
            option = option_query(request.query)
            if option is not None and not any(_has_strike(row, option.strike) for row in found):
                nearest = await self._nearest(option, request)
                if nearest:
                    return SearchReply(instruments=nearest)
        except PyMongoError:
            raise Unavailable("instruments cannot be read at the moment") from None
        # Documents of an earlier version have no rank until the next master is loaded.
        matches = [(_instrument(row), row.get("search_rank", 0), row["words"]) for row in found]
        return SearchReply(instruments=rank_matches(request.query, matches)[: request.limit])

    async def _matches(self, request: SearchRequest) -> list[Document]:
        """Instruments with all words of the query in one of its spellings, as stored."""
        query: dict[str, Any] = {
            "$or": [{"words": {"$all": _beginnings(words)}} for words in spellings(request.query)]
        }
        if request.types:
            query["type"] = {"$in": [name.upper() for name in request.types]}
        query |= _narrowed(request)
        order = [("search_rank", 1), ("expiry", 1), ("symbol", 1)]
        return await self._instruments.find(query).sort(order).limit(_MAX_MATCHES).to_list()

    async def _nearest(self, option: OptionQuery, request: SearchRequest) -> list[Instrument]:
        """The options with the strikes nearest to the wanted one."""
        wanted_types = {name.upper() for name in request.types} or set(option.types)
        others = _beginnings(option.other_words)
        query: dict[str, Any] = {
            "type": {"$in": sorted(wanted_types & set(option.types))},
            "strike": {"$type": "number"},
            "expiry": {"$type": "string"},
        } | _narrowed(request)
        projection = {"strike": 1, "expiry": 1}
        name = option.underlying
        for underlying in (name, name.replace("&", ""), *_beginnings([name])):
            query["words"] = {"$all": [underlying, *others]}
            rows = await self._instruments.find(query, projection).to_list(_MAX_CONTRACTS)
            if rows:
                break
        contracts = [Contract(row["_id"], row["strike"], row["expiry"]) for row in rows]
        keys = nearest_contracts(option, contracts)[: request.limit]
        return (await self.get(GetRequest(keys=keys))).instruments if keys else []

    async def get(self, request: GetRequest) -> GetReply:
        """Instruments by key, in the order of the request.

        Raises Unavailable if the database does not answer, or if a key may be of a master that has
        not been loaded yet.
        """
        try:
            rows = await self._instruments.find({"_id": {"$in": list(request.keys)}}).to_list()
            instruments = {row["_id"]: _instrument(row) for row in rows}
            unknown = [key for key in request.keys if key not in instruments]
            is_loaded = not unknown or (await self.master()).day
        except PyMongoError:
            raise Unavailable("instruments cannot be read at the moment") from None
        if not is_loaded:
            raise Unavailable("the instruments master has not been loaded yet")
        return GetReply(
            instruments=[instruments[key] for key in request.keys if key in instruments],
            unknown=unknown,
        )


def _beginnings(words: Iterable[str]) -> list[re.Pattern[str]]:
    return [re.compile("^" + re.escape(word)) for word in words]


def _narrowed(request: SearchRequest) -> dict[str, Any]:
    """The conditions of a request on segment and expiry."""
    query: dict[str, Any] = {}
    if request.segments:
        query["segment"] = {"$in": [segment.upper() for segment in request.segments]}
    if request.expiry is not None:
        query["expiry"] = request.expiry
    return query


def _has_strike(row: Document, strike: float) -> bool:
    """Whether a row has this strike, or one whose digits begin with those of `strike`."""
    own = row.get("strike")
    return own is not None and f"{own:g}".startswith(f"{strike:g}")


def _instrument(row: Document) -> Instrument:
    fields = {name: value for name, value in row.items() if name not in _SEARCH_FIELDS}
    return msgspec.convert(fields | {"key": fields.pop("_id")}, Instrument)
