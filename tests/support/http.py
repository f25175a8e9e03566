"""HTTP replies as plain values."""

import json
from dataclasses import dataclass
from typing import Any

import aiohttp
from multidict import CIMultiDictProxy


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response."""

    status: int
    text: str
    body: Any
    """Its JSON; None if it has none."""
    headers: CIMultiDictProxy[str]


async def read_reply(response: aiohttp.ClientResponse) -> Reply:
    """Read a response to its end."""
    text = await response.text()
    body = json.loads(text) if text and "json" in response.content_type else None
    return Reply(response.status, text, body, response.headers)
