"""Clients of a hub and its flusher on virtual time, and what may happen to them."""

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
from services.gateway.stream.json_framing import JsonFraming
from services.gateway.stream.protocol import Subscribe, Unsubscribe
from services.gateway.stream.subscriptions import StreamSubscriptions
from shared.contracts.messages import encode
from shared.contracts.subjects import quote_subject
from tests.support.builders import quote
from tests.support.server_frames import messages
from tests.support.virtual_time import run_virtual, stand_still

KEYS = ("NSE_EQ|A", "NSE_EQ|B", "NSE_FO|C")
ASKED = (*KEYS, "*", "NSE_EQ|*")
BUFFER_BYTES = 600
MAX_AGE_SECS = 2


class Client:
    """Subscribes as a session does, and checks what it is sent as it reads it."""

    def __init__(self, hub: Hub, flusher: Flusher) -> None:
        self._flusher = flusher
        self._outbox = Outbox(
            write=self._write, unsent=lambda: len(self._unread), framing=JsonFraming()
        )
        self._held = StreamSubscriptions(hub, flusher, Interest("gw"), self._outbox, limit=100)
        self._unread = b""
        self._reads = True
        self.subscription_count: set[str] = set()
        """Keys and wildcards of which the answer was given."""
        self.newest: dict[str, int] = {}
        """Of what it asks for now, the seq of the last quote that came."""
        self.live: list[tuple[str, int]] = []

    def _write(self, data: bytes) -> None:
        for message in messages(data):
            for one in message["data"]:
                assert self.wants(one["key"]), "not before it was asked for, nor after"
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
            for one in message["data"]:
                self._take(one, is_live)

    def _take(self, one: dict[str, Any], is_live: bool) -> None:
        key, seq = one["key"], one["seq"]
        before = self.newest.get(key, 0)
        assert seq > before if is_live else seq >= before, "nothing goes back in time"
        self.newest[key] = seq
        if is_live:
            self.live.append((key, seq))

    def subscribe(self, key: str, interval_ms: int | None = None) -> None:
        request = Subscribe(1, Channel.QUOTES, [key], interval_ms)
        self._held.subscribe(request, "user-1", asyncio.get_running_loop().time())
        self.subscription_count.add(key)
        self._flusher.nudge(self._outbox)

    def unsubscribe(self, key: str) -> None:
        self._held.unsubscribe(Unsubscribe(1, Channel.QUOTES, [key]))
        self.subscription_count.discard(key)
        self._flusher.nudge(self._outbox)

    def wants(self, key: str) -> bool:
        return not self.subscription_count.isdisjoint({key, "*", key.partition("|")[0] + "|*"})


class Story:
    """A hub, its flusher and three clients, on virtual time."""

    def __init__(self) -> None:
        self.hub = Hub(max_age_secs=MAX_AGE_SECS)
        self._flusher = Flusher(
            self.hub,
            longest_ms=18,
            buffer_bytes=BUFFER_BYTES,
            blocked_secs=1_000,
            max_age_secs=MAX_AGE_SECS,
        )
        self.clients = [Client(self.hub, self._flusher) for _ in range(3)]
        self.seqs = dict.fromkeys(KEYS, 0)

    def load_to(self, share: float) -> None:
        """Make the flusher believe that writing at once would use this share of a core."""
        self._flusher._wheel.load.share = share

    def publish(self, key: str, age_secs: float = 0.0) -> None:
        self.seqs[key] += 1
        now_us = int(asyncio.get_running_loop().time() * 1e6)
        one = quote(key=key, seq=self.seqs[key], rt=now_us - int(age_secs * 1e6))
        self.hub.publish(Channel.QUOTES, quote_subject(key), encode(one), now_us)
        self._flusher.mark()

    async def told(self, steps: list["Step"]) -> None:
        """To its end, when all have read what there is."""
        failures: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, what: failures.append(what))
        for step in steps:
            await step.happen(self)
        await self._end()
        assert failures == []

    async def _end(self) -> None:
        """All read what there is."""
        for client in self.clients:
            client.read()
        await asyncio.sleep(1)
        for client in self.clients:
            wanted = {key: seq for key, seq in self.seqs.items() if seq and client.wants(key)}
            assert {key: client.newest.get(key) for key in wanted} == wanted


@dataclass(frozen=True)
class Publish:
    key: str
    is_late: bool

    async def happen(self, story: Story) -> None:
        story.publish(self.key, age_secs=3 if self.is_late else 0)


@dataclass(frozen=True)
class Ask:
    client: int
    key: str
    interval_ms: int | None

    async def happen(self, story: Story) -> None:
        story.clients[self.client].subscribe(self.key, self.interval_ms)


@dataclass(frozen=True)
class GiveBack:
    client: int
    key: str

    async def happen(self, story: Story) -> None:
        story.clients[self.client].unsubscribe(self.key)


@dataclass(frozen=True)
class Stall:
    client: int

    async def happen(self, story: Story) -> None:
        story.clients[self.client].stall()


@dataclass(frozen=True)
class Read:
    client: int

    async def happen(self, story: Story) -> None:
        story.clients[self.client].read()


@dataclass(frozen=True)
class Pass:
    ms: int

    async def happen(self, story: Story) -> None:
        await asyncio.sleep(self.ms / 1_000)


@dataclass(frozen=True)
class StandStill:
    async def happen(self, story: Story) -> None:
        await stand_still(secs=3)


Step = Publish | Ask | GiveBack | Stall | Read | Pass | StandStill


def run_busy(look_secs: float, main: Coroutine[Any, Any, None]) -> None:
    """Each look at the clock finds so much work done: what turns the wheel of flushes slower."""
    done = itertools.count(step=look_secs)
    clock = SimpleNamespace(
        perf_counter=lambda: next(done), thread_time=lambda: next(done), time=time.time
    )
    with mock.patch("services.gateway.fanout.flush.time", clock):
        run_virtual(main)
