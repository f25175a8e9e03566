"""The channels that messages are delivered on, and the wildcard keys of subscriptions."""

from enum import StrEnum
from typing import Final


class Channel(StrEnum):
    """Channels to which a client can subscribe."""

    QUOTES = "quotes"
    DEPTH = "depth"
    CHAIN = "chain"
    CANDLES = "candles"
    BARS = "bars"
    ORDERS = "orders"
    STATUS = "status"


KEYED: Final = frozenset(
    {Channel.QUOTES, Channel.DEPTH, Channel.CHAIN, Channel.CANDLES, Channel.BARS}
)
"""Channels that are subscribed to by instrument key; each other channel is one topic."""
PACED: Final = frozenset({Channel.QUOTES, Channel.DEPTH, Channel.CHAIN})
"""Channels that can be sent at an interval."""
WITHOUT_WILDCARDS: Final = frozenset({Channel.DEPTH, Channel.CHAIN})
"""Keyed channels whose messages are published only while a key is demanded."""
WITH_GAPS: Final = (Channel.CANDLES, Channel.BARS, Channel.ORDERS)
"""Channels whose last message does not make up for one that was missed."""
EVERYTHING: Final = "*"
"""The wildcard key. `*` is every instrument, `NSE_EQ|*` every instrument of that segment."""


def is_wildcard(key: str) -> bool:
    """Whether `key` stands for many instruments."""
    return key == EVERYTHING or key.endswith("|" + EVERYTHING)


def wildcards_of(key: str) -> tuple[str, str]:
    """The two wildcards that match the instrument key `key`."""
    segment, _, _ = key.partition("|")
    return EVERYTHING, f"{segment}|{EVERYTHING}"
