"""Writes to all clients that have something waiting, together, at intervals that the load sets."""

import asyncio
import time
from typing import Final

from services.gateway import metrics
from services.gateway.fanout.channel_queue import ChannelQueue
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.outbox import Outbox
from services.gateway.fanout.stamp import stamp_of
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_SLOTS: Final = 16
_REST: Final = 5.0
_LEAST_REST: Final = 1.5
_SMOOTHING: Final = 0.1
# Less is more often than the loop's timers can be set.
_SHORTEST_TICK_SECS: Final = 0.001
# Who has not taken all, or is flushed at an interval of its own, is looked after so often.
_LOOK_AGAIN_SECS: Final = 0.025


def turn_secs(work_secs: float, longest_secs: float) -> float:
    """How long a turn may take in which all clients are written to within `work_secs`.

    Some times as long as the work, up to `longest_secs`. But work never fills all of the
    time, whatever is asked for: messages that come meanwhile would wait for longer than
    rarer flushes let them.
    """
    return max(min(longest_secs, work_secs * _REST), work_secs * _LEAST_REST)


class Flusher:
    """Owns the outboxes of all clients; `mark` says that the hub has put something into queues.

    An idle gateway passes a lone quote on at once. Under load each client is written to once
    per turn of a wheel, which turns the slower the more there is to do, so that more
    quotes share one write. Clients sit in slots around the wheel: a few are written to at a
    time, and between them the bus is read, so nobody waits for all the others.

    A client whose socket still holds more than `buffer_bytes` of what was written falls
    behind: nothing is kept for it until it has taken most of that.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        longest_ms: float,
        buffer_bytes: int,
        blocked_secs: float,
        max_age_secs: float,
    ) -> None:
        self._hub = hub
        self._longest_secs = longest_ms / 1_000
        self._buffer_bytes = buffer_bytes
        self._blocked_secs = blocked_secs
        self._max_age_secs = max_age_secs
        self._loop = asyncio.get_running_loop()
        self._slots: list[dict[ChannelQueue, Outbox]] = [{} for _ in range(_SLOTS)]
        self._slot_of: dict[Outbox, int] = {}
        self._versions = [0] * _SLOTS
        """The hub's version when a slot was flushed last."""
        self._waiting: set[Outbox] = set()
        self._again: set[Outbox] = set()
        self._looking: asyncio.TimerHandle | None = None
        self._is_turning = False
        self._expected_at = 0.0
        self._turned_at = 0.0
        self._position = 0.0
        self._clean_slots = 0
        """Found with nothing to write, one after the other, since there was something new."""
        self._slot_cost_secs = 0.0
        self._sent_bytes = 0
        self._delivered = 0

    def add(self, queue: ChannelQueue, outbox: Outbox) -> None:
        """Look after a queue of a client from now on."""
        slot = self._slot_of.get(outbox)
        if slot is None:
            slot = min(range(_SLOTS), key=lambda number: len(self._slots[number]))
            self._slot_of[outbox] = slot
        self._slots[slot][queue] = outbox

    def remove(self, outbox: Outbox) -> None:
        """Forget a client."""
        slot = self._slot_of.pop(outbox, 0)
        for queue in outbox.queues.values():
            self._slots[slot].pop(queue, None)
        self._waiting.discard(outbox)
        self._again.discard(outbox)

    @property
    def turn_secs(self) -> float:
        """Time from one flush of a client to its next, under the load of late."""
        return turn_secs(self._slot_cost_secs * _SLOTS, self._longest_secs)

    def mark(self) -> None:
        """There is something new in some queues."""
        self._clean_slots = 0
        if not self._is_turning:
            self._is_turning = True
            self._expected_at = self._loop.time()
            self._loop.call_soon(self._begin)

    def nudge(self, outbox: Outbox) -> None:
        """This client has answers or snapshots waiting, which go at once."""
        if not self._waiting:
            self._loop.call_soon(self._serve_waiting)
        self._waiting.add(outbox)

    def flush(self, outbox: Outbox) -> None:
        """Write what waits for one client now, if it takes anything."""
        self._serve_alone(outbox, self._loop.time())

    def _serve_waiting(self) -> None:
        now = self._loop.time()
        for outbox in self._waiting:
            self._serve_alone(outbox, now)
        self._waiting.clear()
        self._look_later()

    def _begin(self) -> None:
        """The first after a pause: all at once, and then the wheel turns."""
        now = self._turned_at = self._loop.time()
        self._drop_what_is_old(now)
        for slot in range(_SLOTS):
            self._flush_slot(slot, now)
        self._tell()
        self._tick_later(now)

    def _tick_later(self, now: float) -> None:
        self._expected_at = now + max(_SHORTEST_TICK_SECS, self.turn_secs / _SLOTS)
        self._loop.call_at(self._expected_at, self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        self._drop_what_is_old(now)
        turned = (now - self._turned_at) * _SLOTS / max(self.turn_secs, _SHORTEST_TICK_SECS)
        self._turned_at = now
        first = int(self._position)
        self._position += min(turned, _SLOTS)
        for slot in range(first, int(self._position)):
            self._flush_slot(slot % _SLOTS, now)
        self._position %= _SLOTS
        self._tell()
        if self._clean_slots >= _SLOTS:
            self._is_turning = False
        else:
            self._tick_later(now)

    def _flush_slot(self, slot: int, now: float) -> None:
        started = time.perf_counter()
        due = [queue for queue in self._slots[slot] if queue.pending or queue.snapshot_due]
        if due:
            self._clean_slots = 0
            self._tell_latency(due[0])
            outboxes, most = self._slots[slot], self._buffer_bytes
            for queue in due:
                outbox = outboxes[queue]
                if (
                    queue.behind_version is None
                    and not queue.snapshot_due
                    and outbox.behind_since is None
                    and outbox.unsent() <= most
                ):  # as nearly always
                    self._delivered += len(queue.pending)
                    frame = queue.take_pending()
                    outbox.write(frame)
                    self._sent_bytes += len(frame)
                else:
                    self._serve(outbox, now, slot)
            self._look_later()
        else:
            self._clean_slots += 1
        self._versions[slot] = self._hub.version
        took_secs = time.perf_counter() - started
        self._slot_cost_secs += (took_secs - self._slot_cost_secs) * _SMOOTHING

    def _tell(self) -> None:
        metrics.TURN_SECONDS.set(self.turn_secs)
        metrics.FLUSH_SECONDS.observe(self._loop.time() - self._turned_at)
        metrics.BYTES_OUT.inc(self._sent_bytes)
        metrics.DELIVERIES.inc(self._delivered)
        self._sent_bytes = self._delivered = 0

    def _tell_latency(self, queue: ChannelQueue) -> None:
        if queue.channel is Channel.QUOTES and queue.pending:
            received_us = stamp_of(queue.pending[0]).rt
            metrics.LATENCY.observe(time.time() - received_us / 1e6)

    def _drop_what_is_old(self, now: float) -> None:
        """If this process stood still, what waits is no news any more; the newest state is."""
        late_secs = now - self._expected_at
        if late_secs <= self._max_age_secs:
            return
        log.warning("stood still", secs=round(late_secs, 1))
        for queues, version in zip(self._slots, self._versions, strict=True):
            for queue, outbox in queues.items():
                queue.fall_behind(version)
                self._again.add(outbox)
        self._look_later()

    def _serve(self, outbox: Outbox, now: float, slot: int) -> None:
        """Write what waits for a client."""
        is_behind = outbox.behind_since is not None
        if outbox.unsent() > (self._buffer_bytes // 4 if is_behind else self._buffer_bytes):
            self._leave_behind(outbox, now, slot)
            return
        data, count = outbox.take(now, self._hub.version)
        if data:
            outbox.write(data)
            self._sent_bytes += len(data)
            self._delivered += count
        if outbox.has_more:
            self._again.add(outbox)
        elif is_behind or self._again:
            self._again.discard(outbox)
        outbox.behind_since = None

    def _leave_behind(self, outbox: Outbox, now: float, slot: int) -> None:
        if outbox.behind_since is None:
            metrics.CONFLATIONS.inc()
        outbox.fall_behind(now, self._versions[slot])
        self._again.add(outbox)
        if outbox.behind_since is not None and now - outbox.behind_since > self._blocked_secs:
            self._again.discard(outbox)
            outbox.disconnect("the client does not take what is sent")
        elif outbox.is_overfull:
            self._again.discard(outbox)
            outbox.disconnect("too many events wait for the client")

    def _serve_alone(self, outbox: Outbox, now: float) -> None:
        slot = self._slot_of.get(outbox, 0)
        self._serve(outbox, now, slot)

    def _look_later(self) -> None:
        if self._again and self._looking is None:
            self._looking = self._loop.call_later(_LOOK_AGAIN_SECS, self._look_again)

    def _look_again(self) -> None:
        self._looking = None
        now = self._loop.time()
        for outbox in list(self._again):
            self._serve_alone(outbox, now)
        metrics.BEHIND.set(sum(outbox.behind_since is not None for outbox in self._again))
        self._look_later()
