"""The form of the documents of bars, gaps and checkpoints."""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

from services.persister.aggregation.closed_windows import WindowGap
from shared.contracts.history import BarSource, GapReason, GapState
from shared.contracts.messages import Bar, BarState
from shared.market.exchange_time import to_datetime
from shared.runtime.mongo import Document

_NUMBER: Final = ["double", "int", "long"]
_NUMBER_OR_NULL: Final = [*_NUMBER, "null"]
_INTEGER: Final = ["int", "long"]
_INTEGER_OR_NULL: Final = [*_INTEGER, "null"]
# Between these two, times have 13 digits, so they sort as text in the order of their values.
_MIN_ID_TIME_MS: Final = 1_000_000_000_000
MAX_ID_TIME_MS: Final = 9_999_999_999_999
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
        "ltq": {"bsonType": _INTEGER_OR_NULL},
        "ltt": {"bsonType": ["date", "null"]},
        "volume": {"bsonType": _INTEGER_OR_NULL},
        "vtt": {"bsonType": _INTEGER_OR_NULL},
        "atp": {"bsonType": _NUMBER_OR_NULL},
        "oi": {"bsonType": _INTEGER_OR_NULL},
        "ticks": {"bsonType": _INTEGER},
        "state": {"enum": [state.value for state in BarState]},
        "silent_ms": {"bsonType": _INTEGER},
        "epoch": {"bsonType": _INTEGER},
        "source": {"enum": [source.value for source in BarSource]},
    },
}  # fmt: skip

CHECKPOINTS: Final = "checkpoints"
CHECKPOINT_ID: Final = "bars_5m"
"""The collection of checkpoints, and the id of the only one."""

CHECKPOINT_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "required": ["_id", "epoch"],
    "properties": {
        "_id": {"bsonType": "string"},
        "epoch": {"bsonType": _INTEGER},
        "session": {"bsonType": "binData"},
        "closed_until": {"bsonType": "date"},
        "state": {"bsonType": "binData"},
        "amendments": {"bsonType": _INTEGER},
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

_UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def bar_id(key: str, start_ms: int) -> str:
    """The `_id` of a bar. Each window of each instrument has one, so writing twice is harmless."""
    return f"{key}|{start_ms}"


def bar_id_range(key: str, from_ms: int, to_ms: int) -> Document:
    """A condition on `_id` for the bars of `key` that start in `[from_ms, to_ms)`."""
    first_ms, end_ms = (
        min(max(at_ms, _MIN_ID_TIME_MS), MAX_ID_TIME_MS) for at_ms in (from_ms, to_ms)
    )
    return {"$gte": bar_id(key, first_ms), "$lt": bar_id(key, end_ms)}


def bar_document(bar: Bar) -> Document:
    """A bar as a document; times become dates."""
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


def bar_from_document(document: Mapping[str, Any]) -> Bar:
    """Inverse of `bar_document`. A source of the document is no part of the message."""
    fields = {name: value for name, value in document.items() if name not in ("_id", "source")}
    fields["start"] = to_ms(fields["start"])
    fields["ltt"] = None if fields["ltt"] is None else to_ms(fields["ltt"])
    fields["state"] = BarState(fields["state"])
    for name in ("ltq", "volume", "vtt", "oi", "ticks", "silent_ms", "epoch"):
        fields[name] = plain_int(fields[name])
    return Bar(**fields)


def plain_int(number: int | None) -> int | None:
    """The number as an `int`.

    The driver decodes 64-bit integers to a subclass of `int` that msgspec cannot encode as JSON.
    """
    return None if number is None else int(number)


def gap_document(gap: WindowGap) -> Document:
    """A new gap as a document, open for all its instruments. Equal gaps have equal ids."""
    name = f"{gap.start_ms}|{gap.end_ms}|{gap.reason}|{'|'.join(gap.keys)}"
    return {
        "_id": blake2b(name.encode(), digest_size=8).hexdigest(),
        "start": to_datetime(gap.start_ms),
        "end": to_datetime(gap.end_ms),
        "reason": gap.reason.value,
        "keys": list(gap.keys),
        "open_keys": list(gap.keys),
        "abandoned_keys": [],
        "state": GapState.OPEN.value,
    }


def to_ms(at: datetime) -> int:
    """Inverse of `to_datetime`."""
    since_epoch = at - _UNIX_EPOCH
    secs = since_epoch.days * 86_400 + since_epoch.seconds
    return secs * 1_000 + since_epoch.microseconds // 1_000
