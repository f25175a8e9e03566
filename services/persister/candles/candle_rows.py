"""Decodes the rows of Upstox's answers to candles; rows that cannot be are skipped and counted."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from services.persister import metrics
from services.persister.candles.candle import UpstoxCandle
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_MAX_EXCERPT_CHARS: Final = 200
_MAX_QUANTITY: Final = 2**53
_Price = Annotated[float, msgspec.Meta(gt=0, le=1e12)]
_Quantity = Annotated[float, msgspec.Meta(ge=0, le=_MAX_QUANTITY)]
_Row = tuple[str, _Price, _Price, _Price, _Price, _Quantity, Any]


def decode_candles(rows: list[Any]) -> list[UpstoxCandle]:
    """The candles of an answer. A row whose time cannot be read is passed over and counted."""
    candles = []
    for row in rows:
        try:
            candles.append(_candle(row))
        except (msgspec.ValidationError, ValueError, OverflowError) as error:
            _report_invalid(row, error)
    return candles


def _candle(row: object) -> UpstoxCandle:
    """The candle of a row; one with a known time and invalid prices or volume is `invalid`.

    An open interest that is not valid counts as unknown (0). Raises ValueError,
    OverflowError or msgspec.ValidationError if the time cannot be read.
    """
    (text, *_) = msgspec.convert(row, list[Any])[:1] or [None]
    at = datetime.fromisoformat(msgspec.convert(text, str))
    if at.utcoffset() is None:
        raise ValueError("time without an offset")
    start_ms = int(at.timestamp() * 1_000)
    try:
        _, open_, high, low, close, volume, oi = msgspec.convert(row, _Row)
    except msgspec.ValidationError as error:
        _report_invalid(row, error)
        return UpstoxCandle.invalid(start_ms)
    if not low <= min(open_, close) <= max(open_, close) <= high:
        _report_invalid(row, "open or close is not between low and high")
        return UpstoxCandle.invalid(start_ms)
    known_oi = oi if isinstance(oi, int | float) and 0 <= oi <= _MAX_QUANTITY else 0
    return UpstoxCandle(start_ms, open_, high, low, close, volume=int(volume), oi=int(known_oi))


def _report_invalid(row: object, error: object) -> None:
    metrics.SKIPPED_CANDLES.inc()
    log.warning("candle is not valid", error=str(error), row=repr(row)[:_MAX_EXCERPT_CHARS])
