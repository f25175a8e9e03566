"""HTTP requests that are sent once, for the SDK.

It replaces the connection pool of the SDK's client. urllib3 by itself repeats PUT and DELETE up to
three times and follows redirects, and the SDK reads bodies of any length.
"""

import time
from typing import Any, Final

import urllib3

MAX_BODY_BYTES: Final = 16 << 20
_CHUNK_BYTES: Final = 1 << 16


class BadBody(Exception):
    """The body of a response is too long, or did not arrive in time."""


class Response:
    """A complete response, with the attributes that the SDK reads of one."""

    def __init__(self, status: int, reason: str | None, data: bytes) -> None:
        self.status = status
        self.reason = reason
        self.data = data

    def getheaders(self) -> dict[str, str]:
        """Headers are not kept: the SDK writes them into the texts of its errors."""
        return {}


class SingleAttempt:
    """The request method of a pool of connections, without repetitions and redirects."""

    def __init__(self, pool: urllib3.PoolManager, body_secs: float) -> None:
        """`body_secs`: time for the whole body; urllib3's timeout is for each read of it."""
        self._pool = pool
        self._body_secs = body_secs

    def request(self, method: str, url: str, **options: Any) -> Response:
        """Send one request. Raises urllib3's HTTPError, or BadBody."""
        options |= {"retries": False, "redirect": False, "preload_content": False}
        response = self._pool.request(method, url, **options)
        try:
            data = self._body(response)
        except BaseException:
            response.close()  # what is left of it must not answer the next request
            raise
        response.release_conn()
        return Response(response.status, response.reason, data)

    def close(self) -> None:
        """Close idle connections."""
        self._pool.clear()

    def _body(self, response: urllib3.BaseHTTPResponse) -> bytes:
        deadline = time.monotonic() + self._body_secs
        data = bytearray()
        for chunk in response.stream(_CHUNK_BYTES, decode_content=True):
            data += chunk
            if len(data) > MAX_BODY_BYTES:
                raise BadBody(f"longer than {MAX_BODY_BYTES} bytes")
            if time.monotonic() > deadline:
                raise BadBody(f"incomplete after {self._body_secs:g} s")
        return bytes(data)
