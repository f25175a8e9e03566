"""Builds and parses the NATS subjects that the services use.

An instrument key such as ``NSE_INDEX|Nifty 50`` becomes two subject tokens, the segment and
the rest. In each, every byte outside ``[A-Za-z0-9_-]`` is written as ``%XX`` with upper-case
digits: ``md.quote.NSE_INDEX.Nifty%2050``.
"""

from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from shared.errors import InvalidField

TICKS_STREAM: Final = "TICKS"
LEASES_BUCKET: Final = "leases"

CLOCK: Final = "md.clock"
STATUS: Final = "md.status"
COVERAGE: Final = "md.coverage"
ALL_DEMAND: Final = "demand.*"
FEED_TOKEN: Final = "trading.feed_token"
SWITCHES_CHANGED: Final = "switches.changed"
ALL_QUOTES: Final = "md.quote.>"
ALL_CANDLES_1M: Final = "md.candle.1m.>"
ALL_DEPTH: Final = "md.depth.>"
# The stream TICKS captures all messages that bars and the fills of paper orders are computed from.
TICKS_SUBJECTS: Final = (ALL_QUOTES, ALL_CANDLES_1M, CLOCK, ALL_DEPTH)

QUOTE_PREFIX: Final = "md.quote."
CANDLE_1M_PREFIX: Final = "md.candle.1m."
DEPTH_PREFIX: Final = "md.depth."
ALL_BARS: Final = "md.bar.5m.>"
ALL_ORDERS: Final = "orders.*"
_ORDERS_PREFIX: Final = "orders."
_DEMAND_PREFIX: Final = "demand."
BAR_5M_PREFIX: Final = "md.bar.5m."

# The accounts of ingest and of auth have JetStream. Other accounts import parts of its API under
# these prefixes (deploy/nats/authorization.conf).
OWN_JETSTREAM_API: Final = "$JS.API"
MARKET_JETSTREAM_API: Final = "JS.MARKET.API"
AUTH_JETSTREAM_API: Final = "JS.AUTH.API"

MAX_KEY_CHARS: Final = 128
_SAFE: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def _encode_token(text: str) -> str:
    return "".join(chr(b) if b in _SAFE else f"%{b:02X}" for b in text.encode())


@lru_cache(maxsize=32_768)
def key_to_tokens(key: str) -> str:
    """``<segment>.<token>`` for an instrument key ``<segment>|<token>``.

    Raises InvalidField if the key does not have the form that Upstox uses: a segment, one
    ``|`` and a non-empty rest, at most 128 characters in all.
    """
    segment, separator, rest = key.partition("|")
    if not separator or not segment or not rest or "|" in rest:
        raise InvalidField(f"{key!r} is not of the form SEGMENT|TOKEN", field="key")
    if len(key) > MAX_KEY_CHARS:
        raise InvalidField(f"longer than {MAX_KEY_CHARS} characters", field="key")
    try:
        return f"{_encode_token(segment)}.{_encode_token(rest)}"
    except UnicodeEncodeError:
        raise InvalidField("not valid Unicode", field="key") from None


def tokens_to_key(tokens: str) -> str:
    """The instrument key for ``<segment>.<token>``; the inverse of `key_to_tokens`.

    Raises InvalidField for any text that `key_to_tokens` does not return.
    """
    segment, separator, rest = tokens.partition(".")
    if not separator or not segment or not rest or "." in rest:
        raise InvalidField(f"{tokens!r} is not of the form SEGMENT.TOKEN", field="subject")
    try:
        key = f"{unquote(segment, errors='strict')}|{unquote(rest, errors='strict')}"
    except UnicodeDecodeError:
        raise InvalidField(f"{tokens!r} is not UTF-8", field="subject") from None
    # Refuses any other spelling: each key has exactly one subject.
    if key_to_tokens(key) != tokens:
        raise InvalidField(f"{tokens!r} is not the encoding of a key", field="subject")
    return key


def quote_subject(key: str) -> str:
    """The subject of an instrument's quotes."""
    return QUOTE_PREFIX + key_to_tokens(key)


def candle_subject(key: str) -> str:
    """The subject of an instrument's one-minute candles."""
    return CANDLE_1M_PREFIX + key_to_tokens(key)


def depth_subject(key: str) -> str:
    """The subject of an instrument's order book; published only while it is demanded."""
    return DEPTH_PREFIX + key_to_tokens(key)


def demand_subject(gateway: str) -> str:
    """The subject of the demand of a gateway, or of another process with a demand.

    Raises InvalidField if the name is not a token.
    """
    if not gateway or not _SAFE.issuperset(gateway.encode()):
        raise InvalidField("gateway: use the characters A-Z, a-z, 0-9, _ and -", field="gateway")
    return _DEMAND_PREFIX + gateway


def bar_subject(key: str) -> str:
    """The subject of an instrument's five-minute bars; published after they are stored."""
    return BAR_5M_PREFIX + key_to_tokens(key)


def order_subject(user_id: str) -> str:
    """The subject of a user's order, trade and position events."""
    return _ORDERS_PREFIX + _encode_token(user_id)
