"""Puts the market's state into frames of the feed V3.

PURE: no sockets. A frame is put together from entries encoded once per instrument and
mode: protobuf messages may be joined by joining their bytes, so each further client
costs a join and no encoding.
"""

import zlib
from collections.abc import Iterable, Mapping
from typing import Final

from services.simulator.feed.encode import entry, pb
from services.simulator.feed.modes import Mode
from services.simulator.market.market import Market

# One in so many live entries comes without its order book, as on the real feed.
SPARSE_EVERY: Final = 5


class Frame:
    """The market at its present moment; of use until the market advances.

    `changes` says what happened since the frame before: key to True for a trade, to
    False for the order book alone.
    """

    def __init__(self, market: Market, changes: Mapping[str, bool]) -> None:
        self.ts_ms = market.now_ms
        self._states = market.states
        self._changes = changes
        self._entries: dict[tuple[str, Mode], bytes] = {}

    def live(self, modes: Mapping[str, Mode]) -> tuple[bytes, list[str]] | None:
        """What changed of the subscribed instruments: a frame, and the keys in it."""
        entries: list[bytes] = []
        keys: list[str] = []
        for key, traded in self._changes.items():
            mode = modes.get(key)
            if mode is None or (mode is Mode.LTPC and not traded):
                continue
            encoded = self._entries.get((key, mode))
            if encoded is None:
                whole = not traded or not self._is_sparse(key)
                encoded = entry(self._states[key], mode, self.ts_ms, whole=whole)
                self._entries[key, mode] = encoded
            entries.append(encoded)
            keys.append(key)
        if not entries:
            return None
        return _message(pb.live_feed, self.ts_ms, entries), keys

    def _is_sparse(self, key: str) -> bool:
        return zlib.crc32(f"{key}@{self.ts_ms}".encode()) % SPARSE_EVERY == 0


def snapshot(market: Market, modes: Mapping[str, Mode]) -> bytes:
    """The whole present state of these instruments (type `initial_feed`)."""
    now_ms = market.now_ms
    entries = [entry(market.states[key], mode, now_ms, whole=True) for key, mode in modes.items()]
    return _message(pb.initial_feed, now_ms, entries)


def _message(kind: int, now_ms: int, entries: Iterable[bytes]) -> bytes:
    head: bytes = pb.FeedResponse(type=kind, currentTs=now_ms).SerializeToString()
    return head + b"".join(entries)
