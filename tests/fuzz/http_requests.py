"""Random HTTP requests to one edge, byte by byte, in which any part may be wrong."""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote as url_quote

from embedded.ports import HOST
from tests.fuzz.rounds import damaged, mutated_json, odd_value
from tests.support.patience import PATIENCE_SECS

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "BREW", "get")
_PATHS: Final = ("/", "/readyz", "/healthz", "/metrics", "//", "/%00", "*")
_HEADERS: Final = (
    "Host", "Origin", "Content-Type", "Content-Encoding", "Content-Length", "Transfer-Encoding",
    "Accept", "Accept-Encoding", "If-None-Match", "Cookie", "Upgrade", "Connection", "Expect",
    "X-Forwarded-For", "X-Request-Id", "Range", "traceparent", "Sec-Fetch-Site",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HttpEdge:
    """What right requests to an edge consist of."""

    paths: tuple[str, ...]
    parameters: tuple[str, ...]
    """Names in the query."""
    values: tuple[str, ...]
    """Right values of some parameters."""
    bodies: tuple[dict[str, Any], ...]
    headers: tuple[str, ...] = ()
    """Lines with right headers that some requests have."""

    def request(self, source: random.Random, token: str) -> bytes:
        """A request of the owner of `token`, or of nobody."""
        body = mutated_json(source, source.choice(self.bodies))
        target = f"{source.choice((*self.paths, *_PATHS))}?{self._query(source)}"
        lines = [f"{source.choice(_METHODS)} {target} HTTP/1.1", "Host: localhost"]
        if source.random() < 0.8:
            lines.append(f"Authorization: Bearer {token}")
        if source.random() < 0.9:
            lines.append(f"Content-Length: {len(body)}")
        if source.random() < 0.8:
            lines.append("Content-Type: application/json")
        if self.headers and source.random() < 0.8:
            lines += self.headers
        names = source.sample(_HEADERS, source.randrange(4))
        lines += [f"{name}: {odd_value(source)}" for name in names]
        head = "\r\n".join([*lines, "Connection: close", "", ""]).encode("utf-8", "replace")
        data = head + body
        return damaged(source, data) if source.random() < 0.3 else data

    def _query(self, source: random.Random) -> str:
        names = source.sample(self.parameters, source.randrange(min(4, len(self.parameters) + 1)))
        texts = [source.choice((*self.values, str(odd_value(source)))) for _ in names]
        return "&".join(
            f"{name}={url_quote(text.encode('utf-8', 'replace'))}"
            for name, text in zip(names, texts, strict=True)
        )


async def answer_to(port: int, request: bytes) -> bytes:
    """All bytes of the answer; b"" if the connection was closed without one."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(request)
        with suppress(OSError):  # the server may have closed the connection
            writer.write_eof()
        async with asyncio.timeout(PATIENCE_SECS):
            return await reader.read(-1)
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


def is_internal_error(answer: bytes) -> bool:
    """Whether the status of an answer is 500."""
    return b" 500 " in answer.split(b"\r\n", 1)[0]
