"""One round of figures, and how a round replaces the one before in the metrics."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from prometheus_client import Counter, Gauge

Labels = tuple[str, ...]


class Figures:
    """The values that were read from the servers in one round."""

    def __init__(self) -> None:
        self.gauges: defaultdict[Gauge, dict[Labels, float]] = defaultdict(dict)
        self.totals: defaultdict[Counter, dict[Labels, int]] = defaultdict(dict)

    def set(self, gauge: Gauge, value: float, *labels: str) -> None:
        """Set the value of a gauge."""
        self.gauges[gauge][labels] = value

    def count(self, counter: Counter, total: int, *labels: str) -> None:
        """Set the count of a server since its own start."""
        self.totals[counter][labels] = total


class Publication:
    """Writes rounds of figures into metrics that nothing else writes.

    A series that a round does not have is removed: a figure of a server that is away would look
    like a figure of now.
    """

    def __init__(self, gauges: Iterable[Gauge]) -> None:
        self._known: Final[dict[Gauge, set[Labels]]] = {gauge: set() for gauge in gauges}
        self._totals: Final[dict[tuple[Counter, Labels], int]] = {}

    def publish(self, figures: Figures) -> None:
        """Replace the figures of the last round."""
        for gauge, known in self._known.items():
            values = figures.gauges[gauge]
            for labels, value in values.items():
                gauge.labels(*labels).set(value)
            for labels in known - values.keys():
                with suppress(KeyError):
                    gauge.remove(*labels)
            self._known[gauge] = set(values)
        for counter, totals in figures.totals.items():
            for labels, total in totals.items():
                counter.labels(*labels).inc(self._growth((counter, labels), total))

    def _growth(self, series: tuple[Counter, Labels], total: int) -> int:
        """Increase since the last round; a server that restarted counts from 0."""
        last = self._totals.get(series)
        self._totals[series] = total
        if last is None:
            return 0
        return total - last if total >= last else total
