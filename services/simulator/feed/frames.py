"""Builds the frames of the feed V3 from the state of the market.

The entry of an instrument is encoded once per frame and mode. Concatenated protobuf messages
are merged by the decoder, so the frame of each further client costs a join of bytes and no
encoding.
"""

import zlib
from collections.abc import Iterable, Mapping
from typing import Final

from services.simulator.feed.encode import entry, pb
from services.simulator.feed.modes import Mode
from services.simulator.market.market import Market

# One in so many live entries with a trade comes without order book, as on the real feed.
SPARSE_EVERY: Final = 5


class FrameBuilder:
    """Builds the live frames of all clients at one moment; invalid once the market advances.

    `changes` contains the changed keys since the last frame: True for a trade, False if only
    the order book changed.
    """

    def __init__(self, market: Market, changes: Mapping[str, bool]) -> None:
        self.ts_ms = market.now_ms
        self._states = market.states
        self._changes = changes
        self._entries: dict[tuple[str, Mode], bytes] = {}

    def live(self, modes: Mapping[str, Mode]) -> tuple[bytes, list[str]] | None:
        """The frame of a client with these subscriptions, and the keys in it; None if empty."""
        entries: list[bytes] = []
        keys: list[str] = []
        for key, is_trade in self._changes.items():
            mode = modes.get(key)
            if mode is None or (mode is Mode.LTPC and not is_trade):
                continue
            encoded = self._entries.get((key, mode))
            if encoded is None:
                with_book = not is_trade or not self._is_sparse(key)
                encoded = entry(self._states[key], mode, self.ts_ms, with_book=with_book)
                self._entries[key, mode] = encoded
            entries.append(encoded)
            keys.append(key)
        if not entries:
            return None
        return _message(pb.live_feed, self.ts_ms, entries), keys

    def _is_sparse(self, key: str) -> bool:
        return zlib.crc32(f"{key}@{self.ts_ms}".encode()) % SPARSE_EVERY == 0


def snapshot(market: Market, modes: Mapping[str, Mode]) -> bytes:
    """The full present state of these instruments (type `initial_feed`)."""
    now_ms = market.now_ms
    entries = [
        entry(market.states[key], mode, now_ms, with_book=True) for key, mode in modes.items()
    ]
    return _message(pb.initial_feed, now_ms, entries)


def _message(message_type: int, now_ms: int, entries: Iterable[bytes]) -> bytes:
    head: bytes = pb.FeedResponse(type=message_type, currentTs=now_ms).SerializeToString()
    return head + b"".join(entries)
