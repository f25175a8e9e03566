"""Random HTTP requests to the gateway, byte by byte, beside requests that are right."""

import asyncio
import random
from contextlib import suppress
from typing import Final
from urllib.parse import quote as url_quote

from tests.fuzz.rounds import damaged, mutated_json, odd_value, rounds
from tests.support.builders import KEY
from tests.support.gateway.process import gateway_process
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer

_ROUNDS: Final = 60
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "BREW", "get")
_PATHS: Final = (
    "/", "/ws", "/v1/bars", "/v1/gaps", "/v1/quotes", "/v1/depth", "/v1/status", "/v1/openapi.json",
    "/v1/instruments", "/auth/login", "/auth/refresh", "/auth/signup", "/readyz", "/healthz",
    "/metrics", "/v1/../auth/login", "//", "/%00", "*",
)  # fmt: skip
_PARAMETERS: Final = ("key", "keys", "interval", "from", "to", "limit", "cursor", "q", "symbol")
_HEADERS: Final = (
    "Host", "Origin", "Content-Type", "Content-Encoding", "Content-Length", "Transfer-Encoding",
    "Accept", "Accept-Encoding", "If-None-Match", "Cookie", "Upgrade", "Connection", "Expect",
    "X-Forwarded-For", "X-Request-Id", "Range", "traceparent",
)  # fmt: skip


def _text(source: random.Random) -> str:
    return str(odd_value(source))


def _request(source: random.Random, token: str) -> bytes:
    """A request in which any part may be wrong."""
    path = source.choice(_PATHS)
    parameters = {
        name: source.choice((KEY, "5m", "2026-11-20T09:15:00+05:30", _text(source)))
        for name in source.sample(_PARAMETERS, source.randrange(4))
    }
    query = "&".join(
        f"{name}={url_quote(value.encode('utf-8', 'replace'))}"
        for name, value in parameters.items()
    )
    body = mutated_json(source, {"email": "a@example.com", "password": "correct horse battery"})
    lines = [f"{source.choice(_METHODS)} {path}?{query} HTTP/1.1", "Host: localhost"]
    if source.random() < 0.8:
        lines.append(f"Authorization: Bearer {token}")
    if source.random() < 0.9:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {_text(source)}" for name in source.sample(_HEADERS, source.randrange(4))]
    head = "\r\n".join([*lines, "Connection: close", "", ""]).encode("utf-8", "replace")
    data = head + body
    return damaged(source, data) if source.random() < 0.3 else data


async def _answer(port: int, request: bytes) -> bytes:
    """All bytes of the answer; b"" if the connection was closed or kept waiting for more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        with suppress(OSError):  # the gateway may have closed the connection
            writer.write_eof()
        async with asyncio.timeout(PATIENCE_SECS):
            return await reader.read(-1)
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


async def test_no_request_ends_the_gateway_or_is_an_internal_error(nats: NatsServer) -> None:
    async with gateway_process(nats, ACCEPT_PER_SEC="100000") as gateway:
        token = gateway.issuer.token()
        pid = gateway.process.pid
        for source in rounds(_ROUNDS):
            request = _request(source, token)
            answer = await _answer(gateway.port, request)
            assert b" 500 " not in answer.split(b"\r\n", 1)[0], (request, answer)
            assert token.encode() not in answer
            async with gateway.http.get(f"{gateway.url}/v1/status") as response:
                assert response.status in (200, 401, 429)
        assert gateway.process.pid == pid
        assert gateway.process.is_running
        assert "Traceback" not in gateway.process.log()
