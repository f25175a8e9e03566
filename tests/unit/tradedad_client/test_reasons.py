"""Failures of connections are told in words."""

import asyncio

import aiohttp
import pytest

from embedded.ports import free_ports
from tradedad_client.reasons import reason


async def failure_of(url: str) -> Exception:
    async with aiohttp.ClientSession() as http:
        try:
            async with http.get(url):
                pass
        except aiohttp.ClientError as error:
            return error
    raise AssertionError("there was an answer")


async def test_a_port_without_a_server_is_named() -> None:
    (port,) = free_ports(1)
    words = reason(await failure_of(f"http://127.0.0.1:{port}/"))
    assert words == f"127.0.0.1:{port}: nothing listens there"


async def test_a_connection_that_is_closed_without_an_answer_is_named() -> None:
    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(close, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        words = reason(await failure_of(f"http://127.0.0.1:{port}/"))
    assert words in ("the connection was closed without an answer", "the connection was lost")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError(), "no answer in time"),
        (aiohttp.ConnectionTimeoutError(), "no answer in time"),
        (ConnectionResetError(104, "Connection reset by peer"), "the connection was lost"),
        (OSError(113, "No route to host"), "no route to host"),
        (aiohttp.ClientPayloadError("..."), "the answer broke off"),
        (ValueError("text"), "text"),
        (ValueError(), "ValueError"),
    ],
    ids=repr,
)
def test_a_failure_has_words(error: Exception, expected: str) -> None:
    assert reason(error) == expected
