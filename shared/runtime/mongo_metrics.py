"""Measures the commands that this process sends to MongoDB: latency and failures, by command."""

from typing import Final

from prometheus_client import Counter, Histogram
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

COMMAND_SECONDS: Final = Histogram(
    "tradedad_mongodb_command_seconds",
    "Time from sending a command to MongoDB to its reply, by command; failed ones included.",
    ["command"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
COMMAND_FAILURES: Final = Counter(
    "tradedad_mongodb_command_failures_total",
    "Commands that MongoDB refused, or whose reply did not arrive, by command.",
    ["command"],
)
# The commands of users' requests and of bars. All others have one label, so that labels are bounded.
_NAMED: Final = frozenset(
    {
        "abortTransaction", "aggregate", "bulkWrite", "commitTransaction", "delete", "find",
        "findAndModify", "getMore", "hello", "insert", "update",
    }
)  # fmt: skip
_OTHER: Final = "other"


class CommandTimer(CommandListener):
    """Observes each command; the driver calls it in the event loop."""

    def started(self, event: CommandStartedEvent) -> None:
        """Only replies are observed."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        COMMAND_SECONDS.labels(_label(event.command_name)).observe(event.duration_micros / 1e6)

    def failed(self, event: CommandFailedEvent) -> None:
        label = _label(event.command_name)
        COMMAND_SECONDS.labels(label).observe(event.duration_micros / 1e6)
        COMMAND_FAILURES.labels(label).inc()


def _label(command: str) -> str:
    return command if command in _NAMED else _OTHER
