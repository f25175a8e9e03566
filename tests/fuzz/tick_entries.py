"""Random entries of TICKS as trading reads them, and whether it must refuse them."""

import random
from typing import Any, Final

import msgspec

from services.trading.paper.order_book import check_book
from shared.contracts import messages
from shared.contracts.subjects import (
    CANDLE_1M_PREFIX,
    CLOCK,
    DEPTH_PREFIX,
    QUOTE_PREFIX,
    key_to_tokens,
)
from shared.errors import InvalidField
from shared.market.exchange_time import MINUTE_MS
from tests.fuzz.rounds import mutated_json
from tests.support.builders import KEY

NOISE_KEY: Final = "NSE_EQ|INE999A01999"
_OTHER_SUBJECTS: Final = ("%2E.%2e", "NSE_EQ", "NSE_EQ.", "NSE_EQ.a.b", "x." + "y" * 300)
_PREFIXES: Final = (QUOTE_PREFIX, DEPTH_PREFIX, CANDLE_1M_PREFIX)
Entry = tuple[str, bytes]


def right_message(subject: str, key: str, at_ms: int, seq: int) -> dict[str, Any]:
    """A message for this subject."""
    if subject == CLOCK:
        return {"ts": at_ms, "feed_ts": at_ms, "epoch": 1, "seq": seq, "state": "live"}
    if subject.startswith(QUOTE_PREFIX):
        return {
            "key": key, "epoch": 1, "seq": seq, "ts": at_ms, "rt": at_ms * 1_000, "ltt": at_ms,
            "ltp": 100.0, "ltq": 3, "cp": 99.0, "volume": seq, "oi": 5, "bid": 99.95,
            "bid_qty": 10, "ask": 100.05, "ask_qty": 10, "iep": 100.0, "ieq": 5, "snap": False,
        }  # fmt: skip
    if subject.startswith(DEPTH_PREFIX):
        return {
            "key": key, "epoch": 1, "seq": seq, "ts": at_ms, "rt": at_ms * 1_000,
            "bids": [[99.95, 5], [99.9, 7]], "asks": [[100.05, 5], [100.1, 7]], "levels": 5,
        }  # fmt: skip
    return {
        "key": key, "start": at_ms // MINUTE_MS * MINUTE_MS - MINUTE_MS, "open": 100.0,
        "high": 101.0, "low": 99.0, "close": 100.0, "volume": 30, "epoch": 1, "ts": at_ms,
    }  # fmt: skip


def random_entry(source: random.Random, at_ms: int, seq: int) -> Entry:
    """An entry in which any part may be wrong."""
    key = source.choice((KEY, NOISE_KEY))
    prefix = source.choice((*_PREFIXES, CLOCK))
    tokens = key_to_tokens(key) if source.random() < 0.9 else source.choice(_OTHER_SUBJECTS)
    subject = prefix if prefix == CLOCK else prefix + tokens
    return subject, mutated_json(source, right_message(subject, key, at_ms, seq))


def is_refused(entry: Entry) -> bool:
    """Whether the entry is not what its subject says."""
    try:
        _decode(entry)
    except (msgspec.DecodeError, InvalidField):
        return True
    return False


def is_harmless(entry: Entry, now_ms: int) -> bool:
    """Whether an entry must not influence what happens to `KEY`.

    A message of a newer epoch, or of a later time, rightly ends the use of others.
    """
    try:
        message = _decode(entry)
    except (msgspec.DecodeError, InvalidField):
        return True
    if isinstance(message, messages.ClockTick):
        return False
    return message.key != KEY and message.epoch <= 1 and message.ts <= now_ms


def _decode(
    entry: Entry,
) -> messages.Quote | messages.Depth | messages.Candle | messages.ClockTick:
    subject, data = entry
    if subject == CLOCK:
        return messages.decode_clock(data)
    message: messages.Quote | messages.Depth | messages.Candle
    if subject.startswith(QUOTE_PREFIX):
        message, prefix = messages.decode_quote(data), QUOTE_PREFIX
    elif subject.startswith(DEPTH_PREFIX):
        message, prefix = messages.decode_depth(data), DEPTH_PREFIX
        check_book(message)
    else:
        message, prefix = messages.decode_candle(data), CANDLE_1M_PREFIX
    if prefix + key_to_tokens(message.key) != subject:
        raise InvalidField("not the key of the subject", field="key")
    return message
