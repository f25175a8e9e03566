"""Parses the WebSocket frames of a server."""

import json
from collections.abc import Iterator
from typing import Any


def messages(frames: bytes) -> Iterator[dict[str, Any]]:
    """The JSON messages in complete, unmasked text frames."""
    while frames:
        assert frames[0] == 0x81
        size, start = frames[1], 2
        if size == 126:
            size, start = int.from_bytes(frames[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(frames[2:10], "big"), 10
        yield json.loads(frames[start : start + size])
        frames = frames[start + size :]
