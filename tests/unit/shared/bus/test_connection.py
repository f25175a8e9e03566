"""The bus reports whether it can publish, and connects with the right JetStream."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, cast

import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import SlowConsumerError
from structlog.testing import capture_logs

from shared.bus.connection import DEPENDENCY, Bus, connect_bus
from shared.errors import BusClosed
from shared.runtime.health import Readiness
from shared.runtime.settings import NatsSettings

Callback = Callable[..., Awaitable[None]]


class FakeClient:
    """Records the options of the connection; its callbacks are called by the test."""

    is_connected = True
    is_closed = False
    pending_data_size = 0
    _transport = None
    _current_server = None

    def __init__(self) -> None:
        self.options: dict[str, Any] = {}

    async def connect(self, **options: Any) -> None:
        self.options = options

    async def _attempt_reconnect(self) -> None:
        """Never called here; the bus wraps it."""

    async def _connect_to_server(self, server: object) -> None:
        """Never called here; the bus wraps it."""

    async def _flush_pending(self) -> None:
        """Never called here; the bus wraps it."""

    async def close(self) -> None:
        self.is_closed = True

    def jetstream(self, *, prefix: str, timeout: float) -> str:
        return prefix

    async def call(self, callback: str, *args: object) -> None:
        await self.options[callback](*args)


class Connected:
    """A bus on a fake client."""

    def __init__(self) -> None:
        self.client = FakeClient()
        self.readiness = Readiness("test")
        self._stack = AsyncExitStack()

    async def open(self, user: str = "gateway") -> Bus:
        return await self._stack.enter_async_context(
            connect_bus(
                NatsSettings(url="nats://a:1, nats://b:2"),
                user=user,
                password="secret",
                readiness=self.readiness,
                own_client=cast("Client", self.client),
            )
        )

    async def close(self) -> None:
        await self._stack.aclose()


@pytest.mark.parametrize(
    ("is_connected", "unsent_bytes", "can_publish"),
    [(True, 0, True), (True, (8 << 20) - 1, True), (True, 8 << 20, False), (False, 0, False)],
)
async def test_a_bus_cannot_publish_while_disconnected_or_with_much_unsent_data(
    is_connected: bool, unsent_bytes: int, can_publish: bool
) -> None:
    made = Connected()
    bus = await made.open()
    made.client.is_connected = is_connected
    made.client.pending_data_size = unsent_bytes
    assert (bus.is_connected, bus.can_publish) == (is_connected, can_publish)
    await made.close()


@pytest.mark.parametrize(
    ("user", "js_api"),
    [
        ("ingest", "$JS.API"),
        ("auth", "$JS.API"),
        ("gateway", "JS.MARKET.API"),
        ("persister", "JS.MARKET.API"),
        ("trading", "JS.MARKET.API"),
    ],
)
async def test_each_user_has_the_jetstream_of_its_account(user: str, js_api: str) -> None:
    made = Connected()
    bus = await made.open(user)
    assert bus.js_api == js_api
    assert cast("object", bus.js) == js_api
    await made.close()
    assert made.client.is_closed


async def test_messages_are_not_buffered_and_reconnects_are_not_limited() -> None:
    made = Connected()
    await made.open()
    options = made.client.options
    assert (options["pending_size"], options["max_reconnect_attempts"]) == (0, -1)
    assert options["servers"] == ["nats://a:1", "nats://b:2"]
    assert options["inbox_prefix"] == "_INBOX.gateway"
    await made.close()


async def test_readiness_follows_the_connection() -> None:
    made = Connected()
    await made.open()
    assert made.readiness.is_ready()
    await made.client.call("disconnected_cb")
    assert made.readiness.missing == {DEPENDENCY: "disconnected"}
    await made.client.call("reconnected_cb")
    assert made.readiness.is_ready()
    await made.close()


async def test_a_resync_is_required_after_a_reconnect_and_after_dropped_messages() -> None:
    made = Connected()
    bus = await made.open()
    assert not bus.resync_required.is_set()
    await made.client.call("reconnected_cb")
    assert bus.resync_required.is_set()
    bus.resync_required.clear()
    await made.client.call("error_cb", NatsError("permissions violation"))
    assert not bus.resync_required.is_set()
    await made.client.call("error_cb", SlowConsumerError("md.>", "reply", 1, cast("Any", None)))
    assert bus.resync_required.is_set()
    await made.close()


async def test_each_error_is_logged_once_until_a_reconnect() -> None:
    made = Connected()
    await made.open()
    with capture_logs() as logged:
        for _ in range(3):
            await made.client.call("error_cb", NatsError("permissions violation"))
        for number in range(100):
            await made.client.call("error_cb", NatsError(str(number)))
    assert len([line for line in logged if line["event"] == "bus error"]) == 20
    await made.client.call("reconnected_cb")
    with capture_logs() as logged:
        await made.client.call("error_cb", NatsError("permissions violation"))
    assert [line["event"] for line in logged] == ["bus error"]
    await made.close()


async def test_as_a_component_it_fails_once_the_client_has_closed() -> None:
    made = Connected()
    bus = await made.open()
    running = asyncio.create_task(bus.run())
    await asyncio.sleep(0)
    assert not running.done()
    await made.client.call("closed_cb")
    with pytest.raises(BusClosed):
        await running
    await made.close()
