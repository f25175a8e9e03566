"""Makes an answer of JSON that is already encoded: how long it may be kept, and if it changed."""

import asyncio
import zlib
from hashlib import blake2b
from typing import Final

from aiohttp import ETag, hdrs, web

NO_STORE: Final = "no-store"
NO_CACHE: Final = "private, no-cache"
"""It may be kept, and must be asked about each time."""
SHORTLY: Final = "private, max-age=60"
"""What hardly changes any more."""

# Below this a packet is not saved.
_COMPRESS_BYTES: Final = 1_400
# In a thread above this; it takes about 10 ms per MB.
_THREAD_BYTES: Final = 32_768
_ASK_AGAIN: Final = frozenset({NO_CACHE, SHORTLY})


async def reply(request: web.Request, body: bytes, caching: str) -> web.Response:
    """`body` with its validator and compressed, or 304 if the client has it."""
    headers = {
        hdrs.CACHE_CONTROL: caching,
        hdrs.VARY: "Accept-Encoding, Authorization",
        "X-Content-Type-Options": "nosniff",
    }
    if caching in _ASK_AGAIN:
        # Weak: it is the same for the compressed form.
        tag = ETag(blake2b(body, digest_size=12).hexdigest(), is_weak=True)
        headers[hdrs.ETAG] = f'W/"{tag.value}"'
        known = request.if_none_match or ()
        if any(one.value in (tag.value, "*") for one in known):
            return web.Response(status=304, headers=headers)
    if len(body) >= _COMPRESS_BYTES and _takes_gzip(request):
        headers[hdrs.CONTENT_ENCODING] = "gzip"
        body = _gzip(body) if len(body) < _THREAD_BYTES else await asyncio.to_thread(_gzip, body)
    return web.Response(body=body, content_type="application/json", headers=headers)


def _takes_gzip(request: web.Request) -> bool:
    for part in request.headers.get(hdrs.ACCEPT_ENCODING, "").lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _gzip(body: bytes) -> bytes:
    # The fastest level: the gateway's cores are for quotes.
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()
