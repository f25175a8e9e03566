"""Builds HTTP responses from encoded JSON: caching, validators and compression."""

import asyncio
import zlib
from hashlib import blake2b
from http import HTTPStatus
from typing import Final

from aiohttp import ETag, hdrs, web

NO_STORE: Final = "no-store"
NO_CACHE: Final = "private, no-cache"
"""May be cached, and must be revalidated before each use."""
SHORT_LIVED: Final = "private, max-age=60"
"""May be cached for 60 seconds; for content that rarely changes."""

# A smaller body fits into one packet anyway.
_COMPRESS_BYTES: Final = 1_400
# Larger bodies are compressed in a thread; compression takes about 10 ms per MB.
_THREAD_BYTES: Final = 32_768
_WITH_ETAG: Final = frozenset({NO_CACHE, SHORT_LIVED})


async def reply(
    request: web.Request, body: bytes, cache_control: str, status: int = HTTPStatus.OK
) -> web.Response:
    """A response with the JSON `body`, or 304 if the client has this version.

    The body is compressed if it is larger than one packet and the client accepts gzip.
    """
    headers = {
        hdrs.CACHE_CONTROL: cache_control,
        hdrs.VARY: "Accept-Encoding, Authorization",
        "X-Content-Type-Options": "nosniff",
    }
    if cache_control in _WITH_ETAG:
        # Weak, because the compressed and the plain body have the same tag.
        etag = ETag(blake2b(body, digest_size=12).hexdigest(), is_weak=True)
        headers[hdrs.ETAG] = f'W/"{etag.value}"'
        candidates = request.if_none_match or ()
        if any(candidate.value in (etag.value, "*") for candidate in candidates):
            return web.Response(status=304, headers=headers)
    if len(body) >= _COMPRESS_BYTES and _accepts_gzip(request):
        headers[hdrs.CONTENT_ENCODING] = "gzip"
        body = _gzip(body) if len(body) < _THREAD_BYTES else await asyncio.to_thread(_gzip, body)
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def _accepts_gzip(request: web.Request) -> bool:
    for part in request.headers.get(hdrs.ACCEPT_ENCODING, "").lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _gzip(body: bytes) -> bytes:
    # The fastest level, to leave the CPU to the quotes.
    compressor = zlib.compressobj(1, zlib.DEFLATED, 31)
    return compressor.compress(body) + compressor.flush()
