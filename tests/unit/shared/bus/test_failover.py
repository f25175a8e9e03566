"""Which server a client connects to after an outage, and how it gives up the lost one."""

from urllib.parse import urlparse

import pytest
from nats.aio.client import Client, Server, Srv

from shared.bus.failover import ServerChoice, abort_lost_connections
from shared.runtime.backoff import Backoff

URLS = ["nats://a:1", "nats://b:1", "nats://c:1"]


def choice(current: str | None) -> tuple[ServerChoice, Backoff]:
    client = Client()
    client._current_server = None if current is None else Srv(urlparse(current))
    backoff = Backoff()
    return ServerChoice(client, backoff), backoff


def chosen(by: ServerChoice, count: int) -> list[str]:
    servers = [Server(urlparse(url)) for url in URLS]
    return [by.next(servers, {})[0].uri.geturl() for _ in range(count)]


def test_each_server_is_tried_in_turn_and_the_lost_one_last() -> None:
    by, _ = choice("nats://a:1")
    assert chosen(by, 6) == ["nats://b:1", "nats://c:1", "nats://a:1"] * 2


def test_the_server_of_the_last_connection_counts_after_a_second_outage() -> None:
    by, backoff = choice("nats://a:1")
    chosen(by, 1)
    by._client._current_server = Srv(urlparse("nats://b:1"))
    backoff.reset()
    assert chosen(by, 3) == ["nats://a:1", "nats://c:1", "nats://b:1"]


def test_without_a_former_connection_they_are_tried_in_their_order() -> None:
    by, _ = choice(None)
    assert chosen(by, 3) == URLS


async def test_a_write_after_the_end_of_a_connection_is_a_lost_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def ended(_: Client, force_flush: bool = False) -> None:
        raise RuntimeError("the handler is closed")

    monkeypatch.setattr(Client, "_flush_pending", ended)
    client = Client()
    abort_lost_connections(client)
    with pytest.raises(ConnectionResetError, match="the handler is closed"):
        await client._flush_pending()
