"""Kill switches of all users and of instruments in MongoDB, with the audit of their changes."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bson import ObjectId
from pymongo import ASCENDING, IndexModel

from shared.contracts.trading_admin import MAX_SWITCHES, Switch
from shared.contracts.trading_replies import SwitchScope
from shared.errors import LimitExceeded
from shared.market.exchange_time import to_datetime
from shared.runtime.mongo import Document, Mongo, ensure_collection

SWITCHES: Final = "trading_switches"
CHANGES: Final = "trading_switch_changes"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_SECS: Final = 86_400
_FIELDS: Final[dict[str, Any]] = {
    "scope": {"enum": [SwitchScope.GLOBAL.value, SwitchScope.INSTRUMENT.value]},
    "is_on": {"bsonType": "bool"},
    "by": {"bsonType": "string"},
    "reason": {"bsonType": "string"},
    "at": {"bsonType": "date"},
}
_KEY: Final = {"bsonType": "string"}
SWITCH_SCHEMA: Final = {
    "bsonType": "object",
    "additionalProperties": False,
    "required": ["_id", *_FIELDS, "change"],
    "properties": {"_id": {}, **_FIELDS, "key": _KEY, "change": {"bsonType": "objectId"}},
}
CHANGE_SCHEMA: Final = {
    "bsonType": "object",
    "additionalProperties": False,
    "required": ["_id", *_FIELDS],
    "properties": {"_id": {}, **_FIELDS, "key": _KEY},
}


class SwitchStore:
    """One document for each switch. All methods raise PyMongoError while the database is away.

    A change is added to the audit before the switch is changed, and the switch names it. There is
    no transaction: one that a killed process leaves open would block the switch for a minute.
    """

    def __init__(self, mongo: Mongo) -> None:
        self._db = mongo.db
        self._switches = mongo.db.get_collection(SWITCHES)
        self._changes = mongo.db.get_collection(CHANGES)

    async def prepare(self, *, audit_days: int) -> None:
        """Create the collections with validators and indexes."""
        is_on = IndexModel([("is_on", ASCENDING)])
        await ensure_collection(self._db, SWITCHES, SWITCH_SCHEMA, [is_on])
        expiry = IndexModel("at", expireAfterSeconds=audit_days * _DAY_SECS)
        await ensure_collection(self._db, CHANGES, CHANGE_SCHEMA, [expiry])

    async def active(self) -> list[Switch]:
        """The switches that are on, the global one first."""
        cursor = self._switches.find({"is_on": True}, batch_size=MAX_SWITCHES + 2)
        return [_switch(document) async for document in cursor.sort("_id", ASCENDING)]

    async def set(self, switch: Switch) -> None:
        """Set or lift a switch. Raises LimitExceeded if too many are on."""
        document = _document(switch)
        if switch.is_on:
            others = {"is_on": True, "_id": {"$ne": _id(switch)}}
            if await self._switches.count_documents(others) > MAX_SWITCHES:
                raise LimitExceeded(f"at most {MAX_SWITCHES} kill switches of instruments are on")
        change = ObjectId()
        await self._changes.insert_one({"_id": change, **document})
        await self._switches.replace_one(
            {"_id": _id(switch)}, {**document, "change": change}, upsert=True
        )


def _id(switch: Switch) -> str:
    """The id of the global switch sorts before all others."""
    return switch.scope.value if switch.key is None else f"{switch.scope.value}|{switch.key}"


def _document(switch: Switch) -> Document:
    document: Document = {
        "scope": switch.scope.value,
        "is_on": switch.is_on,
        "by": switch.by,
        "reason": switch.reason,
        "at": to_datetime(switch.at),
    }
    if switch.key is not None:
        document["key"] = switch.key
    return document


def _switch(document: Document) -> Switch:
    return Switch(
        scope=SwitchScope(document["scope"]),
        is_on=document["is_on"],
        by=document["by"],
        reason=document["reason"],
        at=(document["at"] - _EPOCH) // timedelta(milliseconds=1),
        key=document.get("key"),
    )
