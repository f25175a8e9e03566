"""Clients of a hub and its flusher on virtual time, and the steps of a test with them."""

import asyncio
import itertools
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest import mock

from services.gateway.fanout.channels import Channel
from services.gateway.fanout.flush import Flusher
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.interest import Interest
from services.gateway.fanout.outbox import Outbox
from services.gateway.stream import protocol
from services.gateway.stream.json_framing import JsonFraming
from services.gateway.stream.subscriptions import StreamSubscriptions
from shared.contracts.messages import encode
from shared.contracts.subjects import quote_subject
from tests.support.builders import quote
from tests.support.virtual_time import run_virtual, stall
from tests.support.websocket_frames import messages

KEYS = ("NSE_EQ|A", "NSE_EQ|B", "NSE_FO|C")
SUBSCRIBABLE = (*KEYS, "*", "NSE_EQ|*")
BUFFER_BYTES = 600
MAX_AGE_SECS = 2
# Of virtual time, so it costs none: longer than each interval and turn of the flusher.
_SETTLE_SECS = 1


class Client:
    """Subscribes as a session does, and checks each message when it is written and read."""

    def __init__(self, hub: Hub, flusher: Flusher) -> None:
        self._flusher = flusher
        self._outbox = Outbox(
            write=self._write, unsent=lambda: len(self._unread), framing=JsonFraming()
        )
        self._subscriptions = StreamSubscriptions(
            hub, flusher, Interest("gw"), self._outbox, limit=100
        )
        self._unread = b""
        self._reads = True
        self.subscribed: set[str] = set()
        """Keys and wildcards whose subscription was acknowledged."""
        self.newest: dict[str, int] = {}
        """The seq of the last quote of each key."""
        self.live: list[tuple[str, int]] = []
        """Key and seq of each quote that was not part of a snapshot."""

    def _write(self, data: bytes) -> None:
        for message in messages(data):
            for item in message["data"]:
                assert self.is_subscribed(item["key"]), "a quote outside its subscription"
        self._unread += data
        if self._reads:
            self.read()

    def stall(self) -> None:
        self._reads = False

    def read(self) -> None:
        self._reads = True
        data, self._unread = self._unread, b""
        for message in messages(data):
            is_live = not message.get("snapshot")
            for item in message["data"]:
                self._take(item, is_live)

    def _take(self, item: dict[str, Any], is_live: bool) -> None:
        key, seq = item["key"], item["seq"]
        before = self.newest.get(key, 0)
        assert seq > before if is_live else seq >= before, "quotes go back in time"
        self.newest[key] = seq
        if is_live:
            self.live.append((key, seq))

    def subscribe(self, key: str, interval_ms: int | None = None) -> None:
        request = protocol.Subscribe(1, Channel.QUOTES, [key], interval_ms)
        self._subscriptions.subscribe(request, "user-1", asyncio.get_running_loop().time())
        self.subscribed.add(key)
        self._flusher.nudge(self._outbox)

    def unsubscribe(self, key: str) -> None:
        self._subscriptions.unsubscribe(protocol.Unsubscribe(1, Channel.QUOTES, [key]))
        self.subscribed.discard(key)
        self._flusher.nudge(self._outbox)

    def is_subscribed(self, key: str) -> bool:
        return not self.subscribed.isdisjoint({key, "*", key.partition("|")[0] + "|*"})


class DeliveryScenario:
    """A hub, its flusher and three clients, on virtual time."""

    def __init__(self) -> None:
        self.hub = Hub(max_age_secs=MAX_AGE_SECS)
        self.flusher = Flusher(
            self.hub,
            longest_ms=18,
            buffer_bytes=BUFFER_BYTES,
            blocked_secs=1_000,
            max_age_secs=MAX_AGE_SECS,
            now_us=lambda: int(asyncio.get_running_loop().time() * 1e6),
        )
        self.clients = [Client(self.hub, self.flusher) for _ in range(3)]
        self.seqs = dict.fromkeys(KEYS, 0)

    def load_to(self, share: float) -> None:
        """Make the flusher believe that writing at once would use this share of a core."""
        self.flusher._wheel.load.share = share

    def publish(self, key: str, age_secs: float = 0.0) -> None:
        self.seqs[key] += 1
        now_us = int(asyncio.get_running_loop().time() * 1e6)
        published = quote(key=key, seq=self.seqs[key], rt=now_us - int(age_secs * 1e6))
        self.hub.publish(Channel.QUOTES, quote_subject(key), encode(published), now_us)
        self.flusher.mark()

    async def play(self, steps: list["Step"]) -> None:
        """Take all steps, and check that every client gets the newest state in the end."""
        failures: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, what: failures.append(what))
        for step in steps:
            await step.take(self)
        await self._end()
        assert failures == []

    async def _end(self) -> None:
        for client in self.clients:
            client.read()
        await asyncio.sleep(_SETTLE_SECS)
        for client in self.clients:
            expected = {
                key: seq for key, seq in self.seqs.items() if seq and client.is_subscribed(key)
            }
            assert {key: client.newest.get(key) for key in expected} == expected


@dataclass(frozen=True)
class Publish:
    key: str
    is_late: bool

    async def take(self, scenario: DeliveryScenario) -> None:
        scenario.publish(self.key, age_secs=3 if self.is_late else 0)


@dataclass(frozen=True)
class Subscribe:
    client: int
    key: str
    interval_ms: int | None

    async def take(self, scenario: DeliveryScenario) -> None:
        scenario.clients[self.client].subscribe(self.key, self.interval_ms)


@dataclass(frozen=True)
class Unsubscribe:
    client: int
    key: str

    async def take(self, scenario: DeliveryScenario) -> None:
        scenario.clients[self.client].unsubscribe(self.key)


@dataclass(frozen=True)
class Stall:
    client: int

    async def take(self, scenario: DeliveryScenario) -> None:
        scenario.clients[self.client].stall()


@dataclass(frozen=True)
class Read:
    client: int

    async def take(self, scenario: DeliveryScenario) -> None:
        scenario.clients[self.client].read()


@dataclass(frozen=True)
class Wait:
    ms: int

    async def take(self, scenario: DeliveryScenario) -> None:
        await asyncio.sleep(self.ms / 1_000)


@dataclass(frozen=True)
class StallGateway:
    async def take(self, scenario: DeliveryScenario) -> None:
        await stall(secs=3)


Step = Publish | Subscribe | Unsubscribe | Stall | Read | Wait | StallGateway


def run_busy(work_secs: float, main: Coroutine[Any, Any, None]) -> None:
    """Run on virtual time, where each measurement of the flusher's work yields `work_secs`."""
    done = itertools.count(step=work_secs)
    clock = SimpleNamespace(
        perf_counter=lambda: next(done), thread_time=lambda: next(done), time=time.time
    )
    with mock.patch("services.gateway.fanout.flush.time", clock):
        run_virtual(main)
