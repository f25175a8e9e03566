"""Writes what waits in the outboxes to the clients' sockets, at the times the wheel sets."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from services.gateway import metrics
from services.gateway.fanout.channel_queue import ChannelQueue
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.framing import Framing
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.outbox import Outbox
from services.gateway.fanout.stamp import stamp_of
from services.gateway.fanout.topic import Sink
from services.gateway.fanout.wheel import SLOTS, Wheel
from shared.runtime.logs import get_logger

log = get_logger(__name__)

# Clients that are behind, or paced by an interval, are served again after this time.
_RETRY_SECS: Final = 0.025


class Flusher:
    """Owns the outboxes of all clients. `mark` reports that the hub appended messages.

    While the load allows it, `mark` writes to each client that has a message. Otherwise each
    client is written to once per turn of the wheel: a few clients at a time, and the bus is
    read in between, so that no client waits for all the others.

    A client whose socket holds more than `buffer_bytes` unsent bytes is behind: nothing is
    stored for it until the socket has taken most of these.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        longest_ms: float,
        buffer_bytes: int,
        blocked_secs: float,
        max_age_secs: float,
        now_us: Callable[[], int],
    ) -> None:
        """`now_us` is the time on ingest's clock, for the metric of the latency."""
        self._hub = hub
        self._wheel = Wheel(longest_ms / 1_000)
        self._buffer_bytes = buffer_bytes
        self._blocked_secs = blocked_secs
        self._max_age_secs = max_age_secs
        self._now_us = now_us
        self._loop = asyncio.get_running_loop()
        self._slots: list[dict[ChannelQueue, Outbox]] = [{} for _ in range(SLOTS)]
        self._slot_of: dict[Outbox, int] = {}
        self._slot_versions = [0] * SLOTS
        """The hub's version at the last flush of each slot."""
        self._clients: dict[Sink, tuple[ChannelQueue, Outbox]] = {}
        """Each queue with the outbox that it belongs to."""
        self._nudged: set[Outbox] = set()
        self._retrying: set[Outbox] = set()
        self._retry_timer: asyncio.TimerHandle | None = None
        self._is_turning = False
        self._expected_at = 0.0
        """Loop time at which the next tick is scheduled."""
        self._clean_slots = 0
        """Slots in a row that had nothing to write since the last `mark`."""
        self._sent_bytes = 0
        self._delivered = 0

    def add(self, queue: ChannelQueue, outbox: Outbox) -> None:
        """Serve a queue of a client from now on."""
        # A queue must be added before it is subscribed at the hub: `_write_changed` looks up
        # every sink of a changed topic in `_clients`.
        slot = self._slot_of.get(outbox)
        if slot is None:
            slot = min(range(SLOTS), key=lambda number: len(self._slots[number]))
            self._slot_of[outbox] = slot
        self._slots[slot][queue] = outbox
        self._clients[queue] = queue, outbox

    def remove(self, outbox: Outbox) -> None:
        """Forget a client."""
        slot = self._slot_of.pop(outbox, 0)
        for queue in outbox.queues.values():
            self._slots[slot].pop(queue, None)
            self._clients.pop(queue, None)
        self._nudged.discard(outbox)
        self._retrying.discard(outbox)

    def mark(self) -> None:
        """The hub has appended messages to some queues."""
        self._clean_slots = 0
        now = self._loop.time()
        if not self._is_turning:
            self._expected_at = now
        # After a suspension, the tick that is overdue replaces what is pending.
        is_at_once = self._wheel.writes_at_once and now <= self._expected_at + _RETRY_SECS
        if is_at_once:
            self._write_changed()
        self._hub.changed.clear()
        if not self._is_turning:
            self._is_turning = True
            self._wheel.start(now)
            if is_at_once:
                self._tick_later(now)
            else:
                self._loop.call_soon(self._begin)

    def nudge(self, outbox: Outbox) -> None:
        """Serve this client in the next loop iteration: it has replies or a snapshot."""
        if not self._nudged:
            self._loop.call_soon(self._serve_nudged)
        self._nudged.add(outbox)

    def flush(self, outbox: Outbox) -> None:
        """Write what waits for one client now, unless it is behind."""
        self._serve(outbox, self._loop.time())

    def _serve_nudged(self) -> None:
        now = self._loop.time()
        for outbox in self._nudged:
            self._serve(outbox, now)
        self._nudged.clear()
        self._retry_later()

    def _write_changed(self) -> None:
        """Write to every client that has a live message of a changed topic."""
        started = time.perf_counter()
        clients, limit_bytes = self._clients, self._buffer_bytes
        writes = delivered = sent_bytes = 0
        for topic in self._hub.changed:
            framing: Framing | None = None
            frame = b""
            for sink in topic.sinks:
                pending = sink.pending
                if not pending:
                    continue  # written with another topic
                queue, outbox = clients[sink]
                if queue.snapshot_due or outbox.behind_since is not None or outbox.replies:
                    continue  # left to the wheel, or to the next loop iteration
                if outbox.unsent() > limit_bytes:
                    continue
                count = len(pending)
                if count > 1 or pending[0] is not topic.last:
                    data = queue.take_pending()
                else:
                    # Nearly every client gets this message alone: one frame serves them all.
                    if queue.framing is not framing:
                        framing = queue.framing
                        frame = framing.live(queue.channel, pending)
                    data = frame
                    pending.clear()
                if not writes:
                    self._observe_latency(queue.channel, topic.last)
                outbox.write(data)
                writes += 1
                delivered += count
                sent_bytes += len(data)
        self._sent_bytes += sent_bytes
        self._delivered += delivered
        self._wheel.load.wrote(writes, delivered, time.perf_counter() - started)

    def _keeps_up(self, queue: ChannelQueue, outbox: Outbox) -> bool:
        """Whether the pending messages are all that is due, and the socket takes them."""
        return (
            queue.behind_version is None
            and not queue.snapshot_due
            and outbox.behind_since is None
            and not outbox.replies
            and outbox.unsent() <= self._buffer_bytes
        )

    def _write_pending(self, queue: ChannelQueue, outbox: Outbox) -> int:
        count = len(queue.pending)
        frame = queue.take_pending()
        outbox.write(frame)
        self._sent_bytes += len(frame)
        self._delivered += count
        return count

    def _begin(self) -> None:
        """First flush after a pause: all clients at once, then the wheel turns."""
        now = self._loop.time()
        self._drop_if_suspended(now)
        for slot in range(SLOTS):
            self._flush_slot(slot, now)
        self._finish_tick(now)

    def _tick(self) -> None:
        now = self._loop.time()
        self._drop_if_suspended(now)
        for slot in self._wheel.advance(now):
            self._flush_slot(slot, now)
        if self._clean_slots >= SLOTS:
            self._is_turning = False
        self._finish_tick(now)

    def _finish_tick(self, now: float) -> None:
        wheel = self._wheel
        if wheel.load.is_due(now):
            wheel.load.sample(now, time.thread_time())
        metrics.FLUSH_INTERVAL_SECONDS.set(0.0 if wheel.writes_at_once else wheel.turn_secs)
        metrics.FLUSH_SECONDS.observe(self._loop.time() - now)
        metrics.SENT_BYTES.inc(self._sent_bytes)
        metrics.DELIVERIES.inc(self._delivered)
        self._sent_bytes = self._delivered = 0
        if self._is_turning:
            self._tick_later(now)

    def _tick_later(self, now: float) -> None:
        self._expected_at = now + self._wheel.tick_secs
        self._loop.call_at(self._expected_at, self._tick)

    def _flush_slot(self, slot: int, now: float) -> None:
        started = time.perf_counter()
        ready = [queue for queue in self._slots[slot] if queue.pending or queue.snapshot_due]
        writes = delivered = 0
        if ready:
            self._clean_slots = 0
            if ready[0].pending:
                self._observe_latency(ready[0].channel, ready[0].pending[0])
            outboxes = self._slots[slot]
            for queue in ready:
                outbox = outboxes[queue]
                if self._keeps_up(queue, outbox):
                    writes += 1
                    delivered += self._write_pending(queue, outbox)
                else:
                    self._serve(outbox, now)
            self._retry_later()
        else:
            self._clean_slots += 1
        self._slot_versions[slot] = self._hub.version
        secs = time.perf_counter() - started
        self._wheel.flushed_slot(secs)
        self._wheel.load.wrote(writes, delivered, secs)

    def _observe_latency(self, channel: Channel, message: bytes | None) -> None:
        if channel is Channel.QUOTES and message is not None:
            latency_us = self._now_us() - stamp_of(message).rt
            metrics.LATENCY_SECONDS.observe(max(0, latency_us) / 1e6)

    def _drop_if_suspended(self, now: float) -> None:
        """After a suspension of the process, replace what is pending by the newest state."""
        late_secs = now - self._expected_at
        if late_secs <= self._max_age_secs:
            return
        log.warning("process was suspended", secs=round(late_secs, 1))
        for queues, version in zip(self._slots, self._slot_versions, strict=True):
            for queue, outbox in queues.items():
                queue.fall_behind(version)
                self._retrying.add(outbox)
        self._retry_later()

    def _serve(self, outbox: Outbox, now: float) -> None:
        """Write everything that waits for a client, or note that it is behind."""
        is_behind = outbox.behind_since is not None
        if outbox.unsent() > (self._buffer_bytes // 4 if is_behind else self._buffer_bytes):
            self._leave_behind(outbox, now)
            return
        data, count = outbox.take(now)
        if data:
            outbox.write(data)
            self._sent_bytes += len(data)
            self._delivered += count
        if outbox.has_more:
            self._retrying.add(outbox)
        elif is_behind or self._retrying:
            self._retrying.discard(outbox)
        outbox.behind_since = None

    def _leave_behind(self, outbox: Outbox, now: float) -> None:
        if outbox.behind_since is None:
            metrics.CONFLATIONS.inc()
        outbox.fall_behind(now, self._slot_versions[self._slot_of.get(outbox, 0)])
        self._retrying.add(outbox)
        if outbox.behind_since is not None and now - outbox.behind_since > self._blocked_secs:
            self._retrying.discard(outbox)
            outbox.disconnect("the client does not read what is sent")
        elif outbox.is_overfull:
            self._retrying.discard(outbox)
            outbox.disconnect("too many events wait for the client")

    def _retry_later(self) -> None:
        if self._retrying and self._retry_timer is None:
            self._retry_timer = self._loop.call_later(_RETRY_SECS, self._retry)

    def _retry(self) -> None:
        self._retry_timer = None
        now = self._loop.time()
        for outbox in list(self._retrying):
            self._serve(outbox, now)
        metrics.BEHIND_STREAMS.set(
            sum(outbox.behind_since is not None for outbox in self._retrying)
        )
        self._retry_later()
