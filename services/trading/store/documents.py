"""The documents of the trading service in MongoDB, and their schemas."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from bson.binary import Binary

from services.trading.journal.entry import Entry, OrderChanged
from services.trading.journal.record import CommandRecord, Record
from shared.contracts.trading import slot_of
from shared.runtime.mongo import Document

JOURNAL: Final = "trading_journal"
COMMANDS: Final = "trading_commands"
PARTITIONS: Final = "trading_partitions"
SNAPSHOTS: Final = "trading_snapshots"

_LONG: Final = {"bsonType": ["int", "long"]}
_BYTES: Final = {"bsonType": "binData"}
_TEXT: Final = {"bsonType": "string"}
_DATE: Final = {"bsonType": "date"}


def _schema(required: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    return {
        "bsonType": "object",
        "additionalProperties": False,
        "required": ["_id", *required],
        "properties": {"_id": {}, **required, **optional},
    }


JOURNAL_SCHEMA: Final = _schema(
    {
        "user": _TEXT,
        "slot": _LONG,
        "seq": _LONG,
        "number": _LONG,
        "entry": _BYTES,
        "event": _BYTES,
        "stored_at": _DATE,
    },
    {"order": _TEXT},
)
COMMAND_SCHEMA: Final = _schema(
    {
        "user": _TEXT,
        "slot": _LONG,
        "key": _TEXT,
        "operation": _TEXT,
        "digest": _BYTES,
        "request": _BYTES,
        "answer": _BYTES,
        "code": _TEXT,
        "stored_at": _DATE,
    },
    {},
)
PARTITION_SCHEMA: Final = _schema(
    {"epoch": _LONG},
    {"session": {}, "commits": _LONG, "position": _LONG, "number": _LONG, "stream": _TEXT,
     "state": _BYTES, "read_position": _LONG, "read_stored_ns": _LONG,
     "snapshots_id": _TEXT, "snapshots_number": _LONG, "snapshots_count": _LONG},
)  # fmt: skip
SNAPSHOT_SCHEMA: Final = _schema(
    {"partition": _TEXT, "set": _TEXT, "user": _TEXT, "seq": _LONG, "state": _BYTES}, {}
)


def entry_id(user_id: str, seq: int) -> str:
    """The id of an entry. Ids of one user sort by their number."""
    return f"{user_id}|{seq:012d}"


def command_id(user_id: str, key: str) -> str:
    """The id of a command."""
    return f"{user_id}|{key}"


def journal_document(record: Record, now: datetime) -> Document:
    """A stored entry; `event` is the message of the user's channel, as it was published."""
    entry = record.entry
    document: Document = {
        "_id": entry_id(entry.user_id, entry.seq),
        "user": entry.user_id,
        "slot": slot_of(entry.user_id),
        "seq": entry.seq,
        "number": record.number,
        "entry": Binary(msgspec.json.encode(entry)),
        "event": Binary(record.event),
        "stored_at": now,
    }
    if isinstance(entry.body, OrderChanged):
        document["order"] = entry.body.order_id
    return document


def command_document(command: CommandRecord, now: datetime) -> Document:
    """A stored command with its answer; the audit of the account."""
    return {
        "_id": command_id(command.user_id, command.key),
        "user": command.user_id,
        "slot": slot_of(command.user_id),
        "key": command.key,
        "operation": command.operation.value,
        "digest": Binary(command.digest),
        "request": Binary(command.request),
        "answer": Binary(command.answer),
        "code": command.code,
        "stored_at": now,
    }


decode_entry: Final = msgspec.json.Decoder(Entry).decode


def record_from_document(document: Document) -> Record:
    """The record of a stored entry. Raises msgspec.DecodeError."""
    return Record(
        number=document["number"],
        entry=decode_entry(document["entry"]),
        event=bytes(document["event"]),
    )


def utc_now() -> datetime:
    """The time of storing, for retention; nothing of an order depends on it."""
    return datetime.now(UTC)
