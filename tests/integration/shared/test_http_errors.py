"""Errors that the HTTP server itself answers are problem documents and quote no header."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from shared.runtime.health import Readiness, ops_site
from shared.runtime.http_errors import MALFORMED_REQUESTS
from shared.runtime.site import serve
from shared.web.problems import problems, read_body
from tests.integration.shared.test_problems import Order
from tests.support.patience import PATIENCE_SECS

SECRET = b"canary-secret-51f7"
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def body(request: web.Request) -> web.Response:
        return web.json_response({"name": (await read_body(request, Order)).name})

    app = web.Application(middlewares=[problems])
    app.add_routes([web.post("/", body)])
    async with serve(app, "127.0.0.1", 0) as bound:
        yield bound


async def answer(port: int, *parts: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send the parts one after another; the status, headers and body of the response."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_SECS):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
            }
            body = await reader.readexactly(int(headers["content-length"]))
    finally:
        writer.close()
    return int(first.split()[1]), headers, body


def check_problem(reply: tuple[int, dict[str, str], bytes], status: int, code: str) -> None:
    got, headers, body = reply
    assert headers["content-type"].startswith("application/problem+json")
    assert "server" not in headers
    document: dict[str, Any] = json.loads(body)
    assert (got, document["status"], document["code"]) == (status, status, code)
    assert SECRET not in body


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (HEAD + b"Authorization: Bearer " + SECRET * 600 + b"\r\n\r\n", 431, "too_large"),
        (HEAD + SECRET * 600 + b": x\r\n\r\n", 431, "too_large"),
        (b"GET /" + SECRET * 600 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431, "too_large"),
        (b"GARBAGE\r\n" + SECRET + b"\r\n\r\n", 400, "bad_message"),
        (b"\x16\x03\x01" + SECRET + b"\r\n\r\n", 400, "bad_message"),
        (b"GET / HTTP/9.1\r\nX: " + SECRET + b"\r\n\r\n", 400, "bad_message"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "bad_message"),
        (HEAD + b"A b: " + SECRET + b"\r\n\r\n", 400, "bad_message"),
        (HEAD + b"A: \x00" + SECRET + b"\r\n\r\n", 400, "bad_message"),
        (HEAD + b"".join(b"h%d: v\r\n" % n for n in range(300)) + b"\r\n", 400, "bad_message"),
        (HEAD + b"Content-Length: " + SECRET + b"\r\n\r\n", 400, "bad_message"),
        (b"GET http://[::1 HTTP/1.1\r\nX: " + SECRET + b"\r\n\r\n", 400, "bad_message"),
        (HEAD.replace(b"/ ", b"/\xff ") + b"X: " + SECRET + b"\r\n\r\n", 400, "bad_message"),
        (HEAD + b"Expect: " + SECRET + b"\r\n\r\n", 417, "bad_message"),
        (HEAD + b"Expect: \x86" + SECRET + b"\r\n\r\n", 417, "bad_message"),
        (CHUNKED + b"zz" + SECRET + b"\r\n", 400, "bad_message"),
        (b"GET /elsewhere HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found"),
        (b"PUT / HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed"),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else None,
)
async def test_what_is_no_request_gets_a_problem_without_its_content(
    port: int, request_bytes: bytes, status: int, code: str
) -> None:
    with capture_logs() as logs:
        check_problem(await answer(port, request_bytes), status, code)
    assert SECRET.decode() not in repr(logs)
    assert not [entry for entry in logs if entry["log_level"] not in ("debug", "info")]


async def test_a_body_that_breaks_off_inside_its_framing_gets_a_problem(port: int) -> None:
    reply = await answer(port, CHUNKED, b'5\r\n{"na\r\n', SECRET + b"\r\n")
    check_problem(reply, 400, "bad_message")


async def test_a_client_that_leaves_before_the_end_of_its_body_is_no_failure() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def body(request: web.Request) -> web.Response:
        began.set()
        try:
            return web.json_response({"name": (await read_body(request, Order)).name})
        finally:
            ended.set()

    app = web.Application(middlewares=[problems])
    app.add_routes([web.post("/", body)])
    with capture_logs() as logs:
        async with serve(app, "127.0.0.1", 0) as port, asyncio.timeout(PATIENCE_SECS):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
            await began.wait()
            writer.transport.abort()
            await ended.wait()
    assert [entry for entry in logs if entry["log_level"] not in ("debug", "info")] == []


async def test_malformed_requests_are_counted_by_kind(port: int) -> None:
    before = MALFORMED_REQUESTS.labels("LineTooLong")._value.get()
    await answer(port, HEAD + b"A: " + b"x" * 9_000 + b"\r\n\r\n")
    assert MALFORMED_REQUESTS.labels("LineTooLong")._value.get() == before + 1


async def test_the_next_request_is_served_after_a_malformed_one(port: int) -> None:
    await answer(port, b"GARBAGE\r\n\r\n")
    body = b'{"name":"ok"}'
    status, headers, _ = await answer(
        port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    assert status == 200
    assert "server" not in headers


async def test_a_failure_outside_of_the_middlewares_is_logged_and_is_a_problem() -> None:
    async def fail(_: web.Request) -> web.Response:
        raise ZeroDivisionError(SECRET.decode())

    app = web.Application()
    app.add_routes([web.get("/", fail)])
    async with serve(app, "127.0.0.1", 0) as port:
        with capture_logs() as logs:
            check_problem(await answer(port, HEAD + b"\r\n"), 500, "internal")
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["request failed"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/nothing"])
async def test_the_operations_port_names_no_server_and_no_version(path: str) -> None:
    async with ops_site(Readiness("test"), "127.0.0.1", 0) as port:
        status, headers, _ = await answer(
            port, b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode()
        )
    assert "server" not in headers
    assert status == (404 if path == "/nothing" else 200)


ENCODINGS = ["gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "identity, gzip", "nonsense", "*"]


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_a_body_with_a_content_encoding_is_refused_unread(port: int, encoding: str) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: %b\r\nContent-Length: 4\r\n\r\n"
    check_problem(await answer(port, head % encoding.encode(), b"\x1f\x8b\x08\x00"), 415,
                  "unsupported_encoding")  # fmt: skip


@pytest.mark.parametrize("encoding", ["identity", "Identity", "", "identity, identity"])
async def test_a_body_with_the_identity_encoding_is_accepted(port: int, encoding: str) -> None:
    body = b'{"name":"ok"}'
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n"
    status, _, _ = await answer(port, head % (encoding.encode(), len(body)), body)
    assert status == 200
