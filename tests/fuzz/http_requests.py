"""Random HTTP requests to one edge, byte by byte, in which any part may be wrong."""

import asyncio
import json
import random
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
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


_DOCUMENTS: Final = Path(__file__).parents[2] / "docs"
_PATH_FIELD: Final = re.compile(r"{\w+}")


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of a path, with its parameters, as a service documents it."""

    method: str
    path: str
    """With fields, such as ``/v1/orders/{order_id}``."""
    parameters: tuple[str, ...]
    """Names in the query."""


def documented_operations(service: str) -> tuple[Operation, ...]:
    """All operations of a service's OpenAPI document."""
    document = json.loads((_DOCUMENTS / f"{service}.openapi.json").read_text())
    return tuple(
        Operation(
            method.upper(),
            path,
            tuple(
                parameter["name"]
                for parameter in operation.get("parameters", ())
                if parameter["in"] == "query"
            ),
        )
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    )


@dataclass(frozen=True, slots=True)
class HttpEdge:
    """The parts of right requests to an edge."""

    operations: tuple[Operation, ...]
    """Every second request goes to one of these operations, if the service documents any."""
    paths: tuple[str, ...]
    """Of requests with any method."""
    parameters: tuple[str, ...]
    """Names in the query of requests to `paths`."""
    values: tuple[str, ...]
    """Right values of some parameters."""
    bodies: tuple[dict[str, Any], ...]
    headers: tuple[str, ...] = ()
    """Lines with right headers that some requests have."""

    def request(self, source: random.Random, token: str) -> bytes:
        """A request of the owner of `token`, or of nobody."""
        body = mutated_json(source, source.choice(self.bodies))
        lines = [f"{self._target(source)} HTTP/1.1", "Host: localhost"]
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

    def _target(self, source: random.Random) -> str:
        """A method, a path and a query."""
        if self.operations and source.random() < 0.5:
            operation = source.choice(self.operations)
            path = _PATH_FIELD.sub(lambda _: self._value(source), operation.path)
            return f"{operation.method} {path}?{self._query(source, operation.parameters)}"
        path = source.choice((*self.paths, *_PATHS))
        return f"{source.choice(_METHODS)} {path}?{self._query(source, self.parameters)}"

    def _query(self, source: random.Random, parameters: tuple[str, ...]) -> str:
        names = source.sample(parameters, source.randrange(min(4, len(parameters) + 1)))
        return "&".join(f"{name}={self._value(source)}" for name in names)

    def _value(self, source: random.Random) -> str:
        """A right value of some parameter, or an odd one, for a URL."""
        text = source.choice((*self.values, str(odd_value(source))))
        return url_quote(text.encode("utf-8", "replace"), safe="")


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
