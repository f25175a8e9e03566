"""The subject of each subscription key, and the key of each subject. Pure."""

from typing import Final

from services.gateway.fanout.channels import Channel
from shared.contracts.demand import DEEP_SUFFIX, instrument_of, is_deep_key
from shared.contracts.option_chains import CHAIN_PREFIX, ChainKey
from shared.contracts.subjects import (
    BAR_5M_PREFIX,
    CANDLE_1M_PREFIX,
    DEPTH_PREFIX,
    QUOTE_PREFIX,
    key_to_tokens,
    tokens_to_key,
)

PREFIXES: Final = {
    Channel.QUOTES: QUOTE_PREFIX,
    Channel.DEPTH: DEPTH_PREFIX,
    Channel.CANDLES: CANDLE_1M_PREFIX,
    Channel.BARS: BAR_5M_PREFIX,
    Channel.CHAIN: CHAIN_PREFIX,
}
"""Subject prefix of each keyed channel."""

# A token of an instrument key contains no dot, so a third token is never a part of it.
_DEEP_TOKEN: Final = ".30"


def subject_of(channel: Channel, key: str) -> str:
    """The subject of a key of a keyed channel. Raises InvalidField if it is not such a key."""
    if channel is Channel.CHAIN:
        return ChainKey.parse(key).subject
    if channel is Channel.DEPTH and is_deep_key(key):
        return deep_subject(DEPTH_PREFIX + key_to_tokens(instrument_of(key)))
    return PREFIXES[channel] + key_to_tokens(key)


def deep_subject(depth_subject: str) -> str:
    """The subject of an instrument's 30 levels at a gateway; on the bus both have one subject."""
    return depth_subject + _DEEP_TOKEN


def key_of(channel: Channel, subject: str) -> str:
    """The key of a subject of a keyed channel. Raises InvalidField if it is not such a subject."""
    tokens = subject.removeprefix(PREFIXES[channel])
    if channel is Channel.CHAIN:
        instrument, _, parameters = _after_two_tokens(tokens)
        key = ChainKey.parse(f"{tokens_to_key(instrument)}|{parameters.replace('.', '|')}")
        return str(key)
    if channel is Channel.DEPTH:
        instrument, dot, parameters = _after_two_tokens(tokens)
        if dot + parameters == _DEEP_TOKEN:
            return tokens_to_key(instrument) + DEEP_SUFFIX
    return tokens_to_key(tokens)


def _after_two_tokens(tokens: str) -> tuple[str, str, str]:
    segment, first_dot, rest = tokens.partition(".")
    token, dot, parameters = rest.partition(".")
    return segment + first_dot + token, dot, parameters
