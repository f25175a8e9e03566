"""The shape of stored bars and gaps: what the database accepts, and how they become documents."""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

from services.persister.aggregation.aggregator import Missing
from shared.contracts.history import GapReason, GapState
from shared.contracts.messages import Bar, BarState
from shared.market.exchange_time import to_datetime
from shared.runtime.mongo import Document

_NUMBER: Final = ["double", "int", "long"]
_NUMBER_OR_NULL: Final = [*_NUMBER, "null"]
_WHOLE: Final = ["int", "long"]
_WHOLE_OR_NULL: Final = [*_WHOLE, "null"]
# Between them all times have as many digits, and texts the same order as numbers.
_FIRST_MS: Final = 1_000_000_000_000
END_OF_TIME_MS: Final = 9_999_999_999_999
_KEYS: Final = {"bsonType": "array", "items": {"bsonType": "string"}}

BAR_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "additionalProperties": False,
    "required": [
        "_id", "key", "start", "open", "high", "low", "close", "ticks", "state", "silent_ms",
        "epoch",
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
        "ltt": {"bsonType": ["date", "null"]},
        "volume": {"bsonType": _WHOLE_OR_NULL},
        "vtt": {"bsonType": _WHOLE_OR_NULL},
        "atp": {"bsonType": _NUMBER_OR_NULL},
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
    "properties": {
        "_id": {"bsonType": "string"},
        "epoch": {"bsonType": _WHOLE},
        "session": {"bsonType": "binData"},
        "closed_until": {"bsonType": "date"},
        "state": {"bsonType": "binData"},
        "amendments": {"bsonType": _WHOLE},
    },
}

GAP_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "additionalProperties": False,
    "required": ["_id", "start", "end", "reason", "keys", "open_keys", "state"],
    "properties": {
        "_id": {"bsonType": "string"},
        "start": {"bsonType": "date"},
        "end": {"bsonType": "date"},
        "reason": {"enum": [reason.value for reason in GapReason]},
        "keys": _KEYS,
        "open_keys": _KEYS,
        "abandoned_keys": _KEYS,
        "state": {"enum": [state.value for state in GapState]},
    },
}


def bar_id(key: str, start: int) -> str:
    """The bar's `_id`: one window of one instrument has one document, however often written."""
    return f"{key}|{start}"


def bar_ids(key: str, from_ms: int, to_ms: int) -> Document:
    """A condition on `_id`: bars of `key` that start in this range."""
    since, until = (min(max(at, _FIRST_MS), END_OF_TIME_MS) for at in (from_ms, to_ms))
    return {"$gte": bar_id(key, since), "$lt": bar_id(key, until)}


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
        "ltt": None if bar.ltt is None else to_datetime(bar.ltt),
        "volume": bar.volume,
        "vtt": bar.vtt,
        "atp": bar.atp,
        "oi": bar.oi,
        "ticks": bar.ticks,
        "state": bar.state.value,
        "silent_ms": bar.silent_ms,
        "epoch": bar.epoch,
    }


def bar_of(document: Document) -> Bar:
    """Inverse of `bar_document`."""
    fields = {name: value for name, value in document.items() if name != "_id"}
    fields["start"] = to_ms(fields["start"])
    fields["ltt"] = None if fields["ltt"] is None else to_ms(fields["ltt"])
    fields["state"] = BarState(fields["state"])
    for name in ("ltq", "volume", "vtt", "oi", "ticks", "silent_ms", "epoch"):
        fields[name] = whole(fields[name])
    return Bar(**fields)


def whole(number: int | None) -> int | None:
    """As a plain number: of what needs 64 bits the driver makes a type of its own, which
    cannot be encoded as JSON."""
    return None if number is None else int(number)


def gap_document(missing: Missing) -> Document:
    """A gap as it is noted first; the same one has the same `_id`."""
    named = f"{missing.start}|{missing.end}|{missing.reason}|{'|'.join(missing.keys)}"
    return {
        "_id": blake2b(named.encode(), digest_size=8).hexdigest(),
        "start": to_datetime(missing.start),
        "end": to_datetime(missing.end),
        "reason": missing.reason.value,
        "keys": list(missing.keys),
        "open_keys": list(missing.keys),
        "abandoned_keys": [],
        "state": GapState.OPEN.value,
    }


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_ms(at: datetime) -> int:
    """Inverse of `to_datetime`."""
    passed = at - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000 + passed.microseconds // 1_000
