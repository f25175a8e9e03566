"""The last message of each option chain that ingest publishes, for REST. Pure."""

from collections import OrderedDict
from typing import Final

from services.gateway.fanout.stamp import stamp_of
from shared.contracts.option_chains import Chain, ChainKey, decode_chain

_MAX_CHAINS: Final = 256
_MAX_AGE_SECS: Final = 10.0
"""Ingest repeats a followed chain every three seconds; an older message is of one no longer followed."""


class LatestChains:
    """Keeps the chains that were published last, whichever gateway's clients follow them."""

    def __init__(self) -> None:
        self._epoch = 0
        self._last: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        """By subject: the message, and the monotonic time of its arrival."""

    def put(self, subject: str, encoded: bytes, now: float) -> None:
        """Keep a message, unless its leader is superseded. Raises msgspec.DecodeError."""
        epoch = stamp_of(encoded).epoch
        if epoch < self._epoch:
            return
        self._epoch = epoch
        self._last[subject] = encoded, now
        self._last.move_to_end(subject)
        if len(self._last) > _MAX_CHAINS:
            self._last.popitem(last=False)

    def get(self, underlying: str, expiry: str, now: float) -> Chain | None:
        """The widest recent window of a chain; None if none is followed.

        Raises InvalidField if `underlying` is not an instrument key.
        """
        beginning = ChainKey(underlying, expiry, 1).subject.removesuffix("1")
        recent = [
            encoded
            for subject, (encoded, at) in self._last.items()
            if subject.startswith(beginning) and now - at <= _MAX_AGE_SECS
        ]
        # All windows of a chain have rows of the same kind, so the longest has the most.
        return decode_chain(max(recent, key=len)) if recent else None
