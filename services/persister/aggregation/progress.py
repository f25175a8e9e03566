"""Detects that entries arrive and none of them moves the bars on. Pure: time is an argument."""

from typing import Final

from services.persister.aggregation.aggregator import Aggregator
from shared.market.exchange_time import to_datetime

STALLED_AFTER_SECS: Final = 10.0
_TIME_FORMAT: Final = "%Y-%m-%d %H:%M:%S"


class ProgressMonitor:
    """Watches one aggregator. All moments are monotonic seconds."""

    def __init__(self, aggregator: Aggregator, now_secs: float) -> None:
        self._aggregator = aggregator
        self._used_entries = aggregator.used_entries
        self._used_at_secs = now_secs
        self._refused_entries = 0
        self._undecodable_entries = aggregator.undecodable_entries

    def check(self, now_secs: float) -> str:
        """The reason why no entry has been used for 10 s although some arrived; else empty."""
        aggregator = self._aggregator
        refused = aggregator.stale_entries + aggregator.past_entries
        if aggregator.used_entries != self._used_entries:
            self._used_entries = aggregator.used_entries
            self._used_at_secs, self._refused_entries = now_secs, refused
            self._undecodable_entries = aggregator.undecodable_entries
            return ""
        if now_secs - self._used_at_secs < STALLED_AFTER_SECS:
            return ""
        reasons = []
        if refused > self._refused_entries:
            reasons.append(self._refusal())
        undecodable = aggregator.undecodable_entries - self._undecodable_entries
        if undecodable:
            first = aggregator.first_undecodable
            reasons.append(f"{undecodable} entries undecodable, first: {first}")
        return "; ".join(reasons)

    def _refusal(self) -> str:
        """Why the last refused entry was refused."""
        aggregator = self._aggregator
        received_epoch, received_ms = aggregator.last_refused
        if received_epoch < aggregator.feed_epoch:
            return (
                f"quotes have epoch {received_epoch}, older than {aggregator.feed_epoch} of the "
                "checkpoint: NATS' data was put back, or a superseded ingest leader publishes"
            )
        received = to_datetime(received_ms).strftime(_TIME_FORMAT)
        reached = to_datetime(aggregator.time_ms or 0).strftime(_TIME_FORMAT)
        return (
            f"quotes are of {received} UTC, before {reached} UTC that the checkpoint has reached; "
            "if that time was wrong, run `python -m operations bars reset-checkpoint`"
        )
