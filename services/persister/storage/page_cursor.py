"""The cursor of a page: where it starts, and the request to which it belongs."""

from hashlib import blake2b
from typing import Final

from shared.contracts.history import (
    MAX_CURSOR_CHARS,
    MAX_TIME_MS,
    BarsRequest,
    CandlesRequest,
    GapsRequest,
)
from shared.errors import InvalidField

_SEPARATOR: Final = "."
_KEY_DIGEST_BYTES: Final = 6

_Request = BarsRequest | CandlesRequest | GapsRequest


def encode_cursor(request: _Request, start_ms: int, row_id: str = "") -> str:
    """The cursor of the page of `request` that starts at `start_ms`, in it at `row_id`."""
    parts = (str(start_ms), row_id, *_fingerprint(request).values())
    return _SEPARATOR.join(parts)


def page_start(request: _Request) -> tuple[int, str]:
    """Start of the requested page, epoch ms, and the id of its first row, "" if none is given.

    Raises InvalidField: `cursor` if its text is not a cursor, or the name of the field that
    differs from the request that the cursor was made for.
    """
    if request.cursor is None:
        return request.from_ms, ""
    start, row_id, *fingerprint = _split(request.cursor)
    expected = _fingerprint(request)
    if len(fingerprint) != len(expected):
        raise _not_a_cursor()
    for (name, value), given in zip(expected.items(), fingerprint, strict=True):
        if given != value:
            raise InvalidField(
                f"{name} must be the same as in the request whose `next` is the cursor",
                field=name,
            )
    start_ms = _time_ms(start)
    if not request.from_ms <= start_ms <= MAX_TIME_MS:
        raise _not_a_cursor()
    return start_ms, row_id


def _fingerprint(request: _Request) -> dict[str, str]:
    """By field, what must be equal on all pages. A key may be too long for a cursor."""
    values = {
        "key": blake2b(request.key.encode(), digest_size=_KEY_DIGEST_BYTES).hexdigest(),
        "from_ms": str(request.from_ms),
        "to_ms": str(request.to_ms),
    }
    if not isinstance(request, GapsRequest):
        values["interval"] = request.interval.value
    return values


def _split(cursor: str) -> list[str]:
    parts = cursor.split(_SEPARATOR)
    if len(cursor) > MAX_CURSOR_CHARS or len(parts) < 2:
        raise _not_a_cursor()
    return parts


def _time_ms(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_TIME_MS))):
        raise _not_a_cursor()
    return int(text)


def _not_a_cursor() -> InvalidField:
    return InvalidField("cursor must be the `next` of an earlier page", field="cursor")
